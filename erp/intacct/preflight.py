"""Check that a sync will work before it fails: templates, permissions and the user's date format (reference 7.2)."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lxml import etree

from erp.connection import PreferenceProblem
from erp.intacct import translate, wire
from erp.intacct.account_preferences import check_accounts
from erp.intacct.client import IntacctClient
from erp.intacct.lists import SHAPES
from erp.intacct.preferences import (
    AUDIT_TRAIL,
    DELETES_PREFERENCE,
    GLDIM,
    KNOWN,
    PREFIXES,
    SCAN,
    SUBTOTAL_PREFIX,
    VENDOR_ON_LINES,
    line_fields,
)
from erp.intacct.reader import IntacctReader
from erp.intacct.wire import Query, Row
from models.domain.bills import ChargeKind
from models.domain.line_fields import DIMENSION_PREFIX, FIELD_PREFIX


class Rule(NamedTuple):
    """What a template that a preference names must be (reference 2.8)."""

    preference: str
    title: str
    category: str
    category_codes: frozenset[str]
    posts_to_ap: bool | None
    """None: it may or may not."""


RULES = (
    Rule("po_template", "PO Template Name on Intacct", "Order", frozenset({"order", "o"}), False),
    Rule(
        "vendor_invoice_template",
        "PO Vendor Invoice Template Name on Intacct",
        "Invoice",
        frozenset({"invoice", "i"}),
        True,
    ),
    Rule("receiver_template", "PO Receiver Template Name on Intacct", "Shipping", frozenset({"shipping", "s"}), False),
    Rule("return_template", "PO Return Template Name on Intacct", "Return", frozenset({"return", "r"}), None),
)
REQUIRED = ("po_template", "vendor_invoice_template")

READ_OBJECTS: Mapping[str, str] = {
    **{shape.object: "RECORDNO" for shape in SHAPES if shape.needed},
    "PODOCUMENT": "RECORDNO",
    "PODOCUMENTENTRY": "RECORDNO",
    "APBILL": "RECORDNO",
    "APPYMT": "RECORDNO",
}
"""Objects that every sync reads, with the key they are paged by. Without the audit trail, deletions are found by a
scan."""

STANDARD_FIELDS = frozenset((*translate.LINE_FIELDS, *translate.LINE_OPTIONAL))
"""What posync reads of a line under names of its own."""

DEFINITION_FIELDS = ("RECORDNO", "DOCID", "CATEGORY", "UPDATES_GL", "EDITTYPE", "DELTYPE")
DEFINITION_OPTIONAL = ("STATUS", "CREATETYPE", "CONVTYPE", "TD_CREATION_RULE", "SEQUENCE", "PRESERVE_SEQNUM")


async def check_preferences(
    client: IntacctClient, reader: IntacctReader, given: Mapping[str, str], *, level: str | None
) -> Sequence[PreferenceProblem]:
    """Return what would make the sync fail, each with what to do: the templates, and the user's date format."""
    query = Query("PODOCUMENTPARAMS", DEFINITION_FIELDS, "", optional=DEFINITION_OPTIONAL)
    (rows,) = await reader.all_rows([query], level=level)
    definitions = {row["DOCID"]: row for row in rows if "DOCID" in row}
    problems = await _check_settings(client, level=level)
    problems += await _check_permissions(client, level=level)
    problems += _check_names(given)
    problems += _check_subtotals(given)
    problems += _check_deletes(given)
    problems += await _check_line_fields(client, given, level=level)
    problems += await check_accounts(reader, given, level=level)
    for rule in RULES:
        name = given.get(rule.preference, "")
        if name:
            result = _check_template(rule, name, definitions)
            if rule.posts_to_ap and not result:
                result = await _check_conversion(reader, rule, definitions[name], given, level=level)
            problems.extend(result)
        elif rule.preference in REQUIRED:
            problems.append(
                PreferenceProblem(
                    code="PREFERENCE_MISSING",
                    preference=rule.preference,
                    message=f'"{rule.title}" is not set; purchase orders cannot sync without it.',
                    fix=(
                        "In Intacct open Purchasing > Setup > Transaction Definitions and copy the definition's name.",
                        f"Enter it, same capitals and spaces, as {rule.preference}.{_candidates(rule, definitions)}",
                    ),
                )
            )
    return problems


def _check_names(given: Mapping[str, str]) -> list[PreferenceProblem]:
    """Check the preferences' names: a misspelt one would silently do nothing."""
    problems = [
        PreferenceProblem(
            code="PREFERENCE_UNKNOWN",
            preference=name,
            message=f"Intacct connections have no preference {name!r}.",
            fix=(f"Use one of {', '.join((*KNOWN, *(f'{prefix}…' for prefix in PREFIXES)))}.",),
        )
        for name in given
        if name not in KNOWN and not name.startswith(PREFIXES)
    ]
    said = given.get(VENDOR_ON_LINES, "")
    if said not in ("", "true", "false"):
        problems.append(
            PreferenceProblem(
                code="PREFERENCE_UNKNOWN",
                preference=VENDOR_ON_LINES,
                message=f"{VENDOR_ON_LINES} is {said!r}, which is neither true nor false.",
                fix=("Set it to true or false, or leave it out.",),
            )
        )
    return problems


def _check_subtotals(given: Mapping[str, str]) -> list[PreferenceProblem]:
    """Check the kinds that subtotals are named for: a misspelt kind would refuse every bill with such money, without a
    reason. Which subtotals the definition has is not public (reference 2.8); a wrong name shows at the first bill
    that needs it."""
    kinds = [name.removeprefix(SUBTOTAL_PREFIX) for name in given if name.startswith(SUBTOTAL_PREFIX)]
    known = ", ".join(f"{SUBTOTAL_PREFIX}{kind}" for kind in ChargeKind)
    return [
        PreferenceProblem(
            code="PREFERENCE_UNKNOWN",
            preference=f"{SUBTOTAL_PREFIX}{kind}",
            message=f"There is no kind of charge {kind!r}.",
            fix=(f"Use one of {known}.",),
        )
        for kind in kinds
        if kind not in list(ChargeKind)
    ]


async def _check_line_fields(
    client: IntacctClient, given: Mapping[str, str], *, level: str | None
) -> list[PreferenceProblem]:
    """Check the company's own fields of lines: Intacct leaves out a misspelt dimension without a word, and what it has
    a field of its own for is not written by another name."""
    problems = [
        PreferenceProblem(
            code="PREFERENCE_UNKNOWN",
            preference=f"{FIELD_PREFIX}{name}",
            message=f"{field} is a field that posync maps already, or one of Intacct's own.",
            fix=("Name a custom field of the company's: Intacct shows its Integration name.",),
        )
        for name, field in line_fields(given).items()
        if field in STANDARD_FIELDS
    ]
    dimensions = {name: field for name, field in line_fields(given).items() if field.startswith(GLDIM)}
    if not dimensions:
        return problems
    (answered,) = await client.read(["<getDimensions/>"], level=level)
    if answered.fault is not None or answered.data is None:
        return problems  # what cannot be read is not wrong so far
    known = {
        (one.findtext("objectName") or "").upper()
        for one in answered.data.iter("dimension")
        if (one.findtext("userDefinedDimension") or "").casefold() == "true"
    }
    return problems + [
        PreferenceProblem(
            code="PREFERENCE_UNKNOWN",
            preference=f"{DIMENSION_PREFIX}{name}",
            message=f"Intacct has no dimension of the company's own that is called {field.removeprefix(GLDIM)}.",
            fix=(
                f"Use one of {', '.join(sorted(known))}."
                if known
                else "Make the dimension under Platform Services > Objects, or leave the preference out.",
            ),
        )
        for name, field in dimensions.items()
        if field.removeprefix(GLDIM) not in known
    ]


def _check_deletes(given: Mapping[str, str]) -> list[PreferenceProblem]:
    chosen = given.get(DELETES_PREFERENCE, AUDIT_TRAIL)
    if chosen in (AUDIT_TRAIL, SCAN):
        return []
    return [
        PreferenceProblem(
            code="PREFERENCE_UNKNOWN",
            preference=DELETES_PREFERENCE,
            message=f"Deletions cannot be found by {chosen!r}.",
            fix=(f"Use {AUDIT_TRAIL} or {SCAN}.",),
        )
    ]


def _check_template(rule: Rule, name: str, definitions: Mapping[str, Row]) -> list[PreferenceProblem]:
    definition = definitions.get(name)
    if definition is None:
        return [_unknown_template(rule, name, definitions)]
    problems = []
    category = definition.get("CATEGORY", "").casefold()
    posting = definition.get("UPDATES_GL", "").casefold()
    if category not in rule.category_codes:
        problems.append(
            _problem(
                "TEMPLATE_WRONG_KIND",
                rule,
                f'"{name}" is a definition of category {definition.get("CATEGORY", "none")}, not {rule.category}.',
                f"Choose a definition of category {rule.category}.{_candidates(rule, definitions)}",
            )
        )
    elif rule.posts_to_ap and not _posts_to_ap(posting):
        problems.append(
            _problem(
                "TEMPLATE_DOES_NOT_POST_TO_AP",
                rule,
                f'"{name}" does not post to Accounts Payable, so no bill would appear.',
                "In the definition set Transaction posting to AP, or choose another definition.",
            )
        )
    if definition.get("STATUS", "active").casefold() in ("inactive", "f"):
        problems.append(
            _problem("TEMPLATE_INACTIVE", rule, f'"{name}" is inactive.', "Activate the definition in Intacct.")
        )
    if rule.posts_to_ap:
        for field, what in (("EDITTYPE", "edit"), ("DELTYPE", "delete")):
            policy = definition.get(field, "")
            if policy and policy.casefold() not in ("h", "all"):
                problems.append(
                    _problem(
                        "TEMPLATE_POLICY_TOO_STRICT",
                        rule,
                        f'The {what} policy of "{name}" is {policy}; changes to synced bills would be refused.',
                        f"Set the definition's {what} policy to All.",
                    )
                )
    return problems


async def _check_settings(client: IntacctClient, *, level: str | None) -> list[PreferenceProblem]:
    """Check the user's and the company's settings for what would break a sync.

    Reading them needs rights of its own. Without these rights nothing can be said, and nothing is wrong so far.
    """
    bodies = [wire.user_formatting(client.user), wire.company_preferences("AP")]
    user, payables = [result.data for result in await client.read(bodies, level=level)]
    problems = [] if user is None else _check_user(user)
    return problems if payables is None else problems + _check_payables(payables)


def _check_payables(settings: etree._Element) -> list[PreferenceProblem]:
    """Check that Intacct makes the summaries of bills and payments by itself, daily or monthly.

    The setting's name is not public (reference 7.2), so it is recognized by its words. If it is not recognized, nothing
    is reported.
    """
    for setting in settings.iter("companypref"):
        name = "".join((setting.findtext("preference") or "").casefold().split())
        value = (setting.findtext("prefvalue") or "").strip()
        if "summary" in name and "freq" in name and value and value.casefold() not in ("daily", "monthly", "d", "m"):
            return [
                PreferenceProblem(
                    code="SUMMARY_FREQUENCY",
                    preference="company",
                    message=f"Accounts Payable makes summaries {value}; bills and payments may not sync.",
                    fix=("In Intacct set Accounts Payable > Setup > Configuration > Summary frequency to Daily.",),
                )
            ]
    return []


def _check_user(user: etree._Element) -> list[PreferenceProblem]:
    """Check that the user's regional settings are those by which the gateway's dates are read (reference 2.4).

    In another date format, 05/07 would be read as the wrong month. In another time zone a record's creation, stamped in
    GMT, can seem later than its change, which would then be lost.
    """
    shown = {str(node.tag).lower(): (node.text or "").strip() for node in user.iter() if len(node) == 0}
    problems = []
    date_format = shown.get("dateformat", "")
    if date_format and date_format.lstrip("/") != "mdY":
        problems.append(
            PreferenceProblem(
                code="USER_DATE_FORMAT",
                preference="user",
                message=f"The web services user's date format is {date_format}; dates are read as month/day/year.",
                fix=("In Intacct set the user's date format to mm/dd/yyyy.",),
            )
        )
    offset = shown.get("gmtoffset", "")
    if any(digit in offset for digit in "123456789"):
        problems.append(
            PreferenceProblem(
                code="USER_TIME_ZONE",
                preference="user",
                message=f"The web services user's time zone is {offset} from GMT; changes could be taken for old ones.",
                fix=("In Intacct set the user's time zone to GMT.",),
            )
        )
    return problems


async def _check_permissions(client: IntacctClient, *, level: str | None) -> list[PreferenceProblem]:
    """Check that the user may read everything a sync reads, by the cheapest test: one row of each object (reference
    2.3)."""
    probes = [Query(name, (key,), "", key=key) for name, key in READ_OBJECTS.items()]
    bodies = [probe.xml(page_size=1, show_private=False) for probe in probes]
    results = await client.read(bodies, level=level)
    denied = [
        probe.object
        for probe, result in zip(probes, results, strict=True)
        if result.fault is not None and result.fault.code == "PERMISSION_DENIED"
    ]
    if not denied:
        return []
    return [
        PreferenceProblem(
            code="PERMISSION_DENIED",
            preference="user",
            message=f"The web services user may not read {', '.join(denied)}.",
            fix=("In Intacct give the user's role list and view rights to these.",),
        )
    ]


async def _check_conversion(
    reader: IntacctReader, rule: Rule, definition: Row, given: Mapping[str, str], *, level: str | None
) -> list[PreferenceProblem]:
    """Check that the vendor invoice may be converted from the order or the receipt (reference 3.3)."""
    number = definition.get("RECORDNO", "")
    records = await reader.read_owned("PODOCUMENTPARAMS", [{"RECORDNO": number}], level=level)
    if number not in records:
        return []
    allowed = {row["RECDOCPAR"] for row in wire.owned_rows(records[number], "RECALLS") if "RECDOCPAR" in row}
    sources = [given.get(name, "") for name in ("po_template", "receiver_template")]
    # A definition that shows no list does not say that it converts from nothing.
    if not allowed or allowed.intersection(filter(None, sources)):
        return []
    return [
        _problem(
            "TEMPLATE_CANNOT_CONVERT",
            rule,
            f'"{definition["DOCID"]}" can be made from {", ".join(sorted(allowed))}, not from "{sources[0]}".',
            "Add the purchase order's definition to those this one converts from.",
        )
    ]


def _posts_to_ap(posting: str) -> bool:
    return posting in ("a", "ap", "accounts payable") or "ap" in posting.split() or "payable" in posting


def _unknown_template(rule: Rule, name: str, definitions: Mapping[str, Row]) -> PreferenceProblem:
    wanted = " ".join(name.split()).casefold()
    near = next((other for other in definitions if " ".join(other.split()).casefold() == wanted), None)
    if near is not None:
        return _problem(
            "TEMPLATE_WRONG_CASE",
            rule,
            f'Intacct has no definition "{name}"; names are case-sensitive. It has "{near}".',
            f'Write "{near}".',
        )
    return _problem(
        "TEMPLATE_UNKNOWN",
        rule,
        f'Intacct has no transaction definition "{name}".',
        f"Check the name under Purchasing > Setup > Transaction Definitions.{_candidates(rule, definitions)}",
    )


def _problem(code: str, rule: Rule, message: str, fix: str) -> PreferenceProblem:
    return PreferenceProblem(code=code, preference=rule.preference, message=message, fix=(fix,))


def _candidates(rule: Rule, definitions: Mapping[str, Row]) -> str:
    names = sorted(
        name
        for name, row in definitions.items()
        if row.get("CATEGORY", "").casefold() in rule.category_codes
        and (not rule.posts_to_ap or _posts_to_ap(row.get("UPDATES_GL", "").casefold()))
    )
    return f" Intacct has: {', '.join(names)}." if names else ""
