"""Check that a sync will work before it fails: accounts, rights, the account's limit (reference 5.2, 6.3)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from erp.connection import PreferenceProblem
from erp.errors import AuthenticationFailed, ErpError, NotFound, Rejected
from erp.netsuite import reader, statuses, transactions, translate, wire
from erp.netsuite.accounts import Accounts
from erp.netsuite.lists import BANK, CARD, EXPENSES, PAYABLE, SHAPES
from erp.netsuite.own_fields import AMORTIZATION, OwnKind, read_field
from erp.netsuite.preferences import CHARGE_PREFIX, KNOWN, yes_or_no
from erp.netsuite.reader import Reader, Search
from erp.netsuite.wire import NsRecord
from models.domain.account_lines import EXPENSE_ACCOUNT
from models.domain.bills import ChargeKind
from models.domain.line_fields import DIMENSION_PREFIX, FIELD_PREFIX

READ_TRANSACTIONS = (
    transactions.ORDER,
    transactions.RECEIPT,
    transactions.BILL,
    transactions.CREDIT,
    transactions.PAYMENT,
)

PROBES = 3
"""How many orders at most are tested for whether they may be billed in advance."""


async def check_preferences(
    source: Reader, accounts: Accounts, given: Mapping[str, str], *, in_flight: int
) -> Sequence[PreferenceProblem]:
    """Return everything that would make the sync fail, each with what to do."""
    return [
        *_check_names(given),
        *await _check_own_fields(source, given),
        *await _check_accounts(accounts, given),
        *await _check_expense_account(accounts, given),
        *await _check_rights(source),
        *await _check_limit(source, in_flight),
    ]


def _check_names(given: Mapping[str, str]) -> list[PreferenceProblem]:
    """Check the preferences' names: a misspelt one would silently do nothing."""
    known = (*KNOWN, *(f"{CHARGE_PREFIX}{kind}" for kind in ChargeKind))
    problems = [
        PreferenceProblem(
            code="PREFERENCE_UNKNOWN",
            preference=name,
            message=f"NetSuite connections have no preference {name!r}.",
            fix=(f"Use one of {', '.join(known)}.",),
        )
        for name in given
        if name not in known and not name.startswith((DIMENSION_PREFIX, FIELD_PREFIX))
    ]
    said = given.get("bill_in_advance", "")
    if said and yes_or_no(said) is None:
        problems.append(
            PreferenceProblem(
                code="PREFERENCE_UNKNOWN",
                preference="bill_in_advance",
                message=f"bill_in_advance is {said!r}, which is neither yes nor no.",
                fix=("Set it to true or false as in NetSuite, or leave it out to have NetSuite asked.",),
            )
        )
    return problems


async def _check_own_fields(source: Reader, given: Mapping[str, str]) -> list[PreferenceProblem]:
    """Check the fields that the company has of its own: whether they are written as such, and whether NetSuite has
    values for those that are lists."""
    problems: list[PreferenceProblem] = []
    for preference, value in given.items():
        if not preference.startswith((DIMENSION_PREFIX, FIELD_PREFIX)) or not value:
            continue
        field = read_field(value, OwnKind.LIST if preference.startswith(DIMENSION_PREFIX) else OwnKind.TEXT)
        message = f"{value!r} is no custom segment, no custom column and no field of amortization."
        if field is not None and (field.kind is not OwnKind.LIST or await _has_values(source, field.id)):
            continue
        if field is not None:
            message = f"NetSuite shows no values of {field.id} on bills: no such list, or the role may not see it."
        problems.append(
            PreferenceProblem(
                code="PREFERENCE_UNKNOWN",
                preference=preference,
                message=message,
                fix=(
                    "Enter the ID as in Customization > Lists, Records, & Fields, behind it the type: cseg_region,"
                    f" custcol_start:date; types are {', '.join(OwnKind)}.",
                    f"Or one of {', '.join(AMORTIZATION)}.",
                ),
            )
        )
    return problems


async def _has_values(source: Reader, field: str) -> bool:
    try:
        return bool(await source.select_values(field))
    except Rejected:
        return False
    except AuthenticationFailed as error:
        if error.code != "PERMISSION_DENIED":
            raise
        return False


async def _check_accounts(accounts: Accounts, given: Mapping[str, str]) -> list[PreferenceProblem]:
    wanted = [
        ("bank_account", (BANK, CARD), "bank or credit card account"),
        ("ap_account", (PAYABLE,), "payable account"),
        *((f"{CHARGE_PREFIX}{kind}", ("",), "account") for kind in ChargeKind),
    ]
    problems: list[PreferenceProblem] = []
    for preference, account_types, what in wanted:
        named = given.get(preference, "")
        if named and not any([await accounts.find(one, named) for one in account_types]):
            problems.append(
                PreferenceProblem(
                    code="ACCOUNT_REFUSED",
                    preference=preference,
                    message=f"NetSuite has no active {what} {named!r}.",
                    fix=(f"Enter the {what}'s internal id, number or name as in Lists > Accounting > Accounts.",),
                )
            )
    return problems


async def _check_expense_account(accounts: Accounts, given: Mapping[str, str]) -> list[PreferenceProblem]:
    named = given.get(EXPENSE_ACCOUNT, "")
    if not named:
        return []
    for account_type in EXPENSES:
        if await accounts.find(account_type, named) is not None:
            return []
    return [
        PreferenceProblem(
            code="ACCOUNT_WRONG_TYPE",
            preference=EXPENSE_ACCOUNT,
            message=f"NetSuite has no active account {named!r} of type Expense or Other Expense (its acctType).",
            fix=("Enter the internal id, number or name of an account of type Expense or Other Expense.",),
        )
    ]


async def _check_rights(source: Reader) -> list[PreferenceProblem]:
    """Check that the role may read everything a sync reads, by the cheapest test: a few records of each kind."""
    searches = {
        kind.removeprefix("_"): transactions.changed([kind], None, None, whole=False) for kind in READ_TRANSACTIONS
    }
    searches |= {shape.kind.value: Search(shape.basic) for shape in SHAPES if not shape.optional}
    denied: list[str] = []
    for name, search in searches.items():
        try:
            await source.some(search)
        except AuthenticationFailed as error:
            if error.code != "PERMISSION_DENIED":
                raise
            denied.append(name)
    try:
        await source.deleted(["purchaseOrder"], datetime.now(UTC) - timedelta(days=1), 1)
    except AuthenticationFailed as error:
        if error.code != "PERMISSION_DENIED":
            raise
        denied.append("deleted records")
    if not denied:
        return []
    return [
        PreferenceProblem(
            code="PERMISSION_DENIED",
            preference="role",
            message=f"The token's role may not read {', '.join(denied)}.",
            fix=(
                f"Give the role the permissions to view {', '.join(denied)} in Setup > Users/Roles > Manage Roles.",
                "Check the preferences again.",
            ),
        )
    ]


async def _check_limit(source: Reader, in_flight: int) -> list[PreferenceProblem]:
    """Check that the connection makes no more calls at once than the account allows: more would only be blocked. If the
    role may not read the limit, nothing is reported."""
    try:
        limit = await source.concurrency()
    except (AuthenticationFailed, Rejected) as error:
        if error.code not in ("PERMISSION_DENIED", "FEATURE_OFF"):
            raise
        return []
    if limit is None or in_flight <= limit:
        return []
    return [
        PreferenceProblem(
            code="TOO_MANY_IN_FLIGHT",
            preference="max_in_flight",
            message=f"The connection makes {in_flight} calls at once; NetSuite allows this integration {limit}.",
            fix=(f"Set the connection's max_in_flight to {max(1, limit - 1)} or less.",),
        )
    ]


# --- Bill in Advance of Receipt --------------------------------------------------------------------------------


async def bill_in_advance(source: Reader) -> bool | None:
    """Return whether the account may bill what was not received; None: no order can show it.

    The preference itself cannot be read. But NetSuite's draft of a bill contains what may be billed now, and nothing is
    stored for it. For an order of which nothing was received, the draft has all lines, or only those that need no
    receipt.
    """
    criteria = {
        **transactions.changed([transactions.ORDER], None, None, whole=False).criteria,
        "status": reader.any_of(statuses.OPEN_STATES[0]),
    }
    waiting = await source.some(Search("TransactionSearchBasic", criteria))
    result = await source.records([("purchaseOrder", order.id) for order in waiting[:PROBES]])
    for outcome in result.values():
        if isinstance(outcome, NsRecord):
            answer = await _may_be_billed(source, outcome)
            if answer is not None:
                return answer
    return None


async def _may_be_billed(source: Reader, order: NsRecord) -> bool | None:
    lines = {wire.text(line, "line") for line in order.lines("itemList", "item") if _to_be_billed(line)}
    if not lines:
        return None
    try:
        draft = await source.initialize("vendorBill", "purchaseOrder", order.id)
    except NotFound:
        return None
    except ErpError as error:
        if error.code == "NOT_RECEIVED":
            return False
        if isinstance(error, Rejected):
            return None
        raise
    return lines <= {wire.text(line, "orderLine") for line in draft.lines("itemList", "item")}


def _to_be_billed(line: wire.Fields) -> bool:
    ordered = translate.optional_decimal(line, "quantity") or translate.ZERO
    billed = translate.optional_decimal(line, "quantityBilled") or translate.ZERO
    return ordered > billed and not wire.flag(line, "isClosed")


async def has_item_receipts(source: Reader) -> bool:
    """Return whether the account has item receipts at all, by a few of them."""
    return bool(await source.some(transactions.changed([transactions.RECEIPT], None, None, whole=False)))
