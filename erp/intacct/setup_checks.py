"""Check how a company is set up for posync: what can be read in one request, and what only its screens show.

The names of the settings of Accounts Payable are not public (reference 7.2), so those are never guessed: a person looks
them up. The order is that of the guide for administrators: user and rights, modules, settings.
"""

from collections.abc import Iterable, Mapping, Sequence

from lxml import etree

from erp.connection import PreferenceProblem
from erp.intacct import wire
from erp.intacct.account_preferences import EXPENSE_RULE
from erp.intacct.client import IntacctClient
from erp.intacct.wire import Query, Result
from erp.setup_checks import Asked, Preflight, PreflightResult, of_preflight, unknown
from models.domain.retractions import RetractBy
from models.domain.setup_checks import Breaks, CheckState, SetupCheck

USER_STEPS = (
    "In Intacct open Company > Admin > Web Services users at the top level.",
    "The user is of type Business with admin privileges Full.",
)
ROLE_STEPS = (
    "By subscription: in the user's row open Subscriptions, switch every module on, and set All on each, also for"
    " Reports.",
    "By role: open Company > Admin > Roles, give the role all modules with All on each, also for Reports, and assign it"
    " under Web Services users > Edit > Roles information.",
)
AP_STEPS = "In Intacct open Accounts Payable > Setup > Configuration."

PREFLIGHT = (
    Preflight("READ_RIGHTS", "The user may read what is synced", frozenset({"PERMISSION_DENIED"}), "It may."),
    Preflight(
        "USER_FORMATS",
        "The user's dates and times are readable",
        frozenset({"USER_DATE_FORMAT", "USER_TIME_ZONE"}),
        "Nothing is wrong with them.",
    ),
    Preflight(
        "TEMPLATES",
        "The transaction definitions fit",
        frozenset(
            {
                *("PREFERENCE_MISSING", "TEMPLATE_UNKNOWN", "TEMPLATE_WRONG_CASE", "TEMPLATE_WRONG_KIND"),
                *("TEMPLATE_INACTIVE", "TEMPLATE_DOES_NOT_POST_TO_AP", "TEMPLATE_POLICY_TOO_STRICT"),
                "TEMPLATE_CANNOT_CONVERT",
            }
        ),
        "Every definition that is named exists and does what it is for.",
    ),
    Preflight(
        "EXPENSE_ACCOUNT",
        "The account for lines that name none is one of expenses",
        frozenset({"ACCOUNT_WRONG_TYPE"}),
        f"If one is named, it is {EXPENSE_RULE}: Intacct has no type Expense.",
    ),
    Preflight("PREFERENCES", "The other sync preferences fit", frozenset(), "Accounts and items that are named exist."),
)

ASKED = (
    Asked(
        "AP_ACCOUNT_LABELS",
        "Account labels are off in Accounts Payable",
        "They must be off: bills name accounts.",
        (AP_STEPS, "Look at Enable account labels."),
        (Breaks.BILLS,),
    ),
    Asked(
        "CASH_ACCOUNT_LABELS",
        "Account labels are off in Cash Management",
        "They must be off: payments name accounts.",
        ("In Intacct open Cash Management > Setup > Configuration.", "Look at Enable account labels."),
        (Breaks.PAYMENTS,),
    ),
    Asked(
        "RECLASSIFICATION",
        "Bills may be reclassified",
        "It must be on, so that coding of a bill that was sent can be corrected.",
        (AP_STEPS, "Look at Enable reclassification for bills and adjustments."),
    ),
    Asked(
        "OVERRIDE_1099",
        "The 1099 flag may be overridden",
        "It should be on, so that a bill may differ from its vendor.",
        (AP_STEPS, "Look at Enable 1099 flag override."),
    ),
    Asked(
        "PAYMENT_APPROVAL",
        "Payments need no approval in Intacct",
        "It must be off: a payment would wait there.",
        (AP_STEPS, "Look at Enable AP payments approval."),
        (Breaks.PAYMENTS,),
    ),
    Asked(
        "AR_SUMMARY_FREQUENCY",
        "Accounts Receivable makes summaries daily or monthly",
        "It should be Daily or Monthly.",
        ("In Intacct open Accounts Receivable > Setup > Configuration.", "Look at Summary frequency."),
    ),
    Asked(
        "VENDOR_NUMBERING",
        "How vendors are numbered",
        "Either is right: by a sequence, or by hand.",
        (AP_STEPS, "Look at Document sequencing > Vendors: blank is by hand."),
    ),
    Asked(
        "CUSTOMIZATION_SERVICES",
        "The company subscribes to Customization Services",
        "Deletions are reported only with it; without it they are found once a day.",
        ("In Intacct open Company > Subscriptions > Customization Services.", "Look whether it is subscribed."),
    ),
)

SUMMARIES = Asked(
    "AP_SUMMARY_FREQUENCY",
    "Accounts Payable makes summaries daily or monthly",
    "It must be Daily or Monthly, else bills and payments may not sync.",
    (AP_STEPS, "Look at Summary frequency."),
    (Breaks.BILLS, Breaks.PAYMENTS),
)

MODULES = {"AP": "Accounts Payable", "PO": "Purchasing", "GL": "General Ledger"}

WRITES = (
    ("RIGHT_TO_WRITE_BILLS", "The user may write vendor invoices", "purchasing", "transaction", Breaks.BILLS),
    ("RIGHT_TO_PAY", "The user may write payments", "accounts payable", "payment", Breaks.PAYMENTS),
)
"""What is written, and the words of the application and the policy that allow it."""

STATUS_FIELDS = {
    "STATE": Breaks.SYNC,
    "WHENMODIFIED": Breaks.SYNC,
    "VENDORDOCNO": Breaks.BILLS,
    "CREATEDFROM": Breaks.BILLS,
}
"""Fields of purchasing documents that say how far an order is, and what does not work in a company that lacks one:
changes are found by the first two, and bills that were sent, and receipts, by the others."""


async def check(
    client: IntacctClient,
    preflight: PreflightResult,
    preferences: Mapping[str, str],
    *,
    level: str | None,
    retract_by: RetractBy,
) -> list[SetupCheck]:
    """Return every check, with what the preflight found; the rest is read in one request."""
    audit = Query("AUDITHISTORY", ("ID",), "", key="ID").xml(page_size=1, show_private=False)
    entities = Query("LOCATIONENTITY", ("LOCATIONID",), "", key="LOCATIONID").xml(page_size=1, show_private=False)
    functions = [
        wire.applications(),
        wire.user_permissions(client.user),
        wire.look_up("PODOCUMENT"),
        audit,
        entities,
    ]
    subscribed, rights, document, audited, owned = await client.read(functions, level=level)
    of_summaries = [one for one in preflight.problems if one.code == "SUMMARY_FREQUENCY"]
    others = [one for one in preflight.problems if one.code != "SUMMARY_FREQUENCY"]
    checks = of_preflight(PREFLIGHT, preflight._replace(problems=others))
    checks += [_level(owned, level), _modules(subscribed), *_rights(rights), _fields(document), _deletions(audited)]
    checks += [_summaries(of_summaries), _reversal(retract_by), _receivers(preferences)]
    return checks + [unknown(asked) for asked in ASKED]


def _level(entities: Result, level: str | None) -> SetupCheck:
    """Check that a company with entities is connected at one of them, or at the top on purpose."""
    several = entities.data is not None and bool(list(wire.rows(entities.data)))
    title = "The connection is at the right level"
    if level is not None:
        return SetupCheck(
            code="LEVEL", title=title, state=CheckState.PASS, why=f"It is bound to entity {level}.", seen=level
        )
    if not several:
        return SetupCheck(code="LEVEL", title=title, state=CheckState.PASS, why="The company shows no entities.")
    return SetupCheck(
        code="LEVEL",
        title=title,
        state=CheckState.UNKNOWN,
        why="The company has entities, and the connection is at the top level: its bills go to every entity.",
        seen="top level",
        fix=(
            "To sync one entity, connect it with its id, as in Company > Entities at the top level, left column.",
            "If the top level is meant, say so here.",
        ),
    )


def _modules(subscribed: Result) -> SetupCheck:
    title = "The modules that are needed are subscribed"
    steps = ("In Intacct open Company > Subscriptions.", "Subscribe Accounts Payable, Purchasing and General Ledger.")
    if subscribed.data is None:
        why = "The user may not read the subscriptions."
        return SetupCheck(code="MODULES", title=title, state=CheckState.UNKNOWN, why=why, fix=steps)
    codes = {(node.text or "").strip().upper() for node in subscribed.data.iter("application")}
    missing = [name for code, name in MODULES.items() if code not in codes]
    seen = ", ".join(sorted(codes & MODULES.keys()))
    if not missing:
        return SetupCheck(code="MODULES", title=title, state=CheckState.PASS, why="They are.", seen=seen)
    return SetupCheck(
        code="MODULES",
        title=title,
        state=CheckState.FAIL,
        why=f"Not subscribed: {', '.join(missing)}.",
        seen=seen,
        breaks=(Breaks.SYNC,),
        fix=steps,
    )


def _rights(permissions: Result) -> Iterable[SetupCheck]:
    for code, title, application, policy, breaks in WRITES:
        shown = [] if permissions.data is None else _policies(permissions.data, application, policy)
        if not shown:
            why = "Intacct does not show this right to the user."
            yield SetupCheck(code=code, title=title, state=CheckState.UNKNOWN, why=why, fix=(*USER_STEPS, *ROLE_STEPS))
            continue
        rights = {right for each in shown for right in each}
        lacking = {"add", "edit"} - rights
        seen = ", ".join(sorted(rights))
        if lacking:
            why = f"The right to {' and to '.join(sorted(lacking))} is missing."
            yield SetupCheck(
                code=code, title=title, state=CheckState.FAIL, why=why, seen=seen, breaks=(breaks,), fix=ROLE_STEPS
            )
        else:
            yield SetupCheck(code=code, title=title, state=CheckState.PASS, why="It may.", seen=seen)


def _policies(permissions: etree._Element, application: str, policy: str) -> list[set[str]]:
    """Return the rights of each policy whose name has the word, in the application of that name."""
    return [
        {right.strip().casefold() for right in (one.findtext("rights") or "").split("|") if right.strip()}
        for module in permissions.iter("appSubscription")
        if application in (module.findtext("applicationName") or "").casefold()
        for one in module.iter("policy")
        if policy in (one.findtext("policyName") or "").casefold()
    ]


def _fields(document: Result) -> SetupCheck:
    """Check that purchasing documents show all that says how far they are."""
    title = "Orders show every status field"
    if document.data is None:
        why = "The user may not ask which fields purchasing documents have."
        return SetupCheck(code="STATUS_FIELDS", title=title, state=CheckState.UNKNOWN, why=why, fix=ROLE_STEPS)
    named = {(node.findtext("ID") or "").upper() for node in document.data.iter("Field")}
    missing = [name for name in STATUS_FIELDS if name not in named]
    if not missing:
        return SetupCheck(code="STATUS_FIELDS", title=title, state=CheckState.PASS, why="They do.")
    return SetupCheck(
        code="STATUS_FIELDS",
        title=title,
        state=CheckState.FAIL,
        why=f"Purchasing documents do not show {', '.join(missing)}.",
        seen=f"without {', '.join(missing)}",
        breaks=tuple(dict.fromkeys(STATUS_FIELDS[name] for name in missing)),
        fix=ROLE_STEPS,
    )


def _deletions(audit: Result) -> SetupCheck:
    title = "Deletions are reported by the audit trail"
    if audit.fault is None:
        return SetupCheck(code="AUDIT_TRAIL", title=title, state=CheckState.PASS, why="The user may read it.")
    return SetupCheck(
        code="AUDIT_TRAIL",
        title=title,
        state=CheckState.FAIL,
        why="The user may not read it; deletions are found once a day, by comparing.",
        seen=audit.fault.code,
        fix=("In Intacct give the user the right to Company > Audit trail.",),
    )


def _summaries(problems: Sequence[PreferenceProblem]) -> SetupCheck:
    if not problems:
        return unknown(SUMMARIES)
    return unknown(SUMMARIES).model_copy(
        update={"state": CheckState.FAIL, "why": problems[0].message, "fix": problems[0].fix}
    )


def _reversal(retract_by: RetractBy) -> SetupCheck:
    wanted = "on" if retract_by is RetractBy.REVERSE else "off"
    return unknown(
        Asked(
            "REVERSAL_OF_UNPAID_BILLS",
            f"Reversal of unpaid bills is {wanted}",
            f"It must be {wanted}, as bills are taken back by: {retract_by}. Intacct either deletes unpaid bills or"
            " reverses them.",
            (AP_STEPS, "Look at Enable reversal of unpaid bills."),
            (Breaks.TAKING_BACK,),
        )
    )


def _receivers(preferences: Mapping[str, str]) -> SetupCheck:
    title = "Receipts come in, for 3-way matching"
    if preferences.get("receiver_template"):
        return SetupCheck(code="RECEIPTS", title=title, state=CheckState.PASS, why="Their definition is named.")
    return SetupCheck(
        code="RECEIPTS",
        title=title,
        state=CheckState.UNKNOWN,
        why="No definition of receivers is named: matching is 2-way.",
        fix=(
            "If goods are received in Intacct, set the preference receiver_template to the definition's name, as in"
            " Purchasing > Setup > Transaction definitions.",
            "If they are not, say so here.",
        ),
    )
