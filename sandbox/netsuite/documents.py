"""What purchasing documents have in common: vendor, subsidiary, currency, dates, period, lines and their amounts."""

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from sandbox.netsuite.company import Company
from sandbox.netsuite.errors import Refused, bad_reference, missing
from sandbox.netsuite.normalising import Writing
from sandbox.netsuite.orders import ZERO, is_expense
from sandbox.netsuite.records import Record, Values
from sandbox.netsuite.values import Fields, Ref

CENT = Decimal("0.01")


def cents(amount: Decimal) -> Decimal:
    """Rounded as money is."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def vendor_of(company: Company, values: Values) -> Record:
    """The document's vendor. Raises Refused."""
    if values.get("entity") is None:
        raise missing("Vendor")
    vendor = company.pointed("entity", values["entity"])
    if vendor["isInactive"]:
        raise bad_reference("entity", vendor.internal_id)
    return vendor


def fill_header(writing: Writing, values: Values, vendor: Record) -> None:
    """Defaults of a header, and its posting period. Raises Refused when the period is closed."""
    company = writing.company
    values.setdefault("createdDate", company.now())
    values["lastModifiedDate"] = company.now()
    values.setdefault("tranDate", company.today())
    if values["tranDate"] is None:
        raise missing("Date")
    if values.get("subsidiary") is None:
        values["subsidiary"] = vendor["subsidiary"]
    if values.get("currency") is None:
        values["currency"] = vendor["currency"]
    currency = company.pointed("currency", values["currency"])
    values["currencyName"] = currency["name"]
    if values.get("exchangeRate") is None:
        values["exchangeRate"] = currency["exchangeRate"]


def post(company: Company, values: Values, old: Record | None) -> None:
    """The document's posting period: the given one, or the one of its date. Raises Refused when it is closed."""
    if old is not None and values["tranDate"] != old["tranDate"] and values["postingPeriod"] == old["postingPeriod"]:
        values["postingPeriod"] = None
    given = values.get("postingPeriod")
    if given is not None:
        period = company.pointed("postingPeriod", given)
        if period["closed"] or period["apLocked"] or period["allLocked"]:
            raise Refused("INVALID_ACCT_PRD", f"The posting period {period['periodName']} is closed.")
        return
    values["postingPeriod"] = company.ref(company.open_period(values["tranDate"]))


def fill_terms(company: Company, values: Values, vendor: Record) -> None:
    """Terms from the vendor and a due date from the terms."""
    if "terms" not in values:
        values["terms"] = vendor["terms"]
    if values.get("dueDate") is None:
        days = 0
        if values["terms"] is not None:
            days = company.pointed("terms", values["terms"])["daysUntilNetDue"] or 0
        values["dueDate"] = values["tranDate"] + timedelta(days=int(days))


def check_subsidiary(company: Company, values: Values, lines: list[Fields]) -> None:
    """Accounts and dimensions must be of the document's subsidiary. Raises Refused (INVALID_KEY_OR_REF)."""
    subsidiary = values["subsidiary"]
    if subsidiary is None:
        return
    for holder in (values, *lines):
        for name in ("account", "department", "class", "location"):
            ref = holder.get(name)
            if not isinstance(ref, Ref):
                continue
            allowed = company.pointed(name, ref)["subsidiaryList"]
            if allowed and subsidiary.internal_id not in {one.internal_id for one in allowed}:
                raise Refused(
                    "INVALID_KEY_OR_REF",
                    f"Invalid {name} reference key {ref.internal_id} for subsidiary {subsidiary.internal_id}.",
                )


def price_of(line: Fields) -> Decimal | None:
    """The line's rate, which is text on the wire (reference 4). Raises Refused for one that is no number."""
    text = line.get("rate")
    if text in (None, ""):
        return None
    try:
        rate = Decimal(str(text))
    except InvalidOperation:
        rate = Decimal("NaN")
    if not rate.is_finite():
        raise Refused("USER_ERROR", f"Invalid rate {text!r}.")
    return rate


def rate_text(rate: Decimal) -> str:
    """A rate as NetSuite writes it: `24.5` is `24.50`, longer ones keep what they have."""
    plain = rate.normalize()
    exponent = plain.as_tuple().exponent
    return f"{plain:.2f}" if isinstance(exponent, int) and exponent > -2 else f"{plain:f}"


def price_lines(company: Company, lines: list[Fields], was: list[Fields]) -> Decimal:
    """Quantity, rate and amount of each line, and their sum. `was` are the lines before an update. Raises Refused."""
    before = {line["line"]: line for line in was if line.get("line") is not None}
    total = ZERO
    for line in lines:
        if is_expense(line):
            if line.get("account") is None and line.get("category") is None:
                raise missing("Account")
            if line.get("amount") is None:
                raise missing("Amount")
        else:
            _price_item_line(company, line, before.get(line.get("line", 0)))
        line["amount"] = cents(line["amount"])
        total += line["amount"] + (line.get("tax1Amt") or ZERO)
    return total


def overridden_tax(values: Values) -> Decimal:
    """Return the tax of a document whose tax details are given, not worked out; it becomes its taxTotal."""
    if not values.get("taxDetailsOverride"):
        values["taxDetailsList"] = None
        return ZERO
    tax = sum((detail.get("taxAmount") or ZERO for detail in values.get("taxDetailsList") or ()), ZERO)
    values["taxTotal"] = cents(tax)
    return tax


def _price_item_line(company: Company, line: Fields, before: Fields | None) -> None:
    if line.get("item") is None:
        raise missing("Item")
    item = company.pointed("item", line["item"])
    if line.get("quantity") is None:
        line["quantity"] = Decimal(1)
    rate = price_of(line)
    if rate is None:
        if line.get("amount") is not None:
            rate = line["amount"] / line["quantity"] if line["quantity"] else ZERO
            rate = rate.quantize(Decimal("0.00000001"), ROUND_HALF_UP)
        else:
            rate = item["cost"] or ZERO
    moved = before is None or (before["quantity"], before["rate"]) != (line["quantity"], line.get("rate"))
    kept = before is None or before["amount"] == line.get("amount")
    if line.get("amount") is None or (moved and before is not None and kept):
        line["amount"] = line["quantity"] * rate
    line["rate"] = rate_text(rate)
    if line.get("description") is None:
        line["description"] = item["purchaseDescription"] or item["displayName"]
    if line.get("units") is None and item["purchaseUnit"] is not None:
        line["units"] = item["purchaseUnit"]
