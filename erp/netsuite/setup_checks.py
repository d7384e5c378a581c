"""Check how an account is set up for posync. NetSuite shows its preferences to no program: a person looks them up."""

from erp.setup_checks import Asked, Preflight, PreflightResult, of_preflight, unknown
from models.domain.setup_checks import Breaks, CheckState, SetupCheck

PREFLIGHT = (
    Preflight("READ_RIGHTS", "The role may read what is synced", frozenset({"PERMISSION_DENIED"}), "It may."),
    Preflight(
        "CONCURRENCY",
        "No more calls at once than the account allows",
        frozenset({"TOO_MANY_IN_FLIGHT"}),
        "Nothing is wrong with it.",
    ),
    Preflight(
        "EXPENSE_ACCOUNT",
        "The account for lines that name none is one of expenses",
        frozenset({"ACCOUNT_WRONG_TYPE"}),
        "If one is named, its type (acctType) is Expense or Other Expense.",
    ),
    Preflight("PREFERENCES", "The sync preferences fit", frozenset(), "Accounts that are named exist."),
)

ASKED = (
    Asked(
        "BILL_APPROVAL",
        "Vendor bills are not routed for approval in NetSuite",
        "It must be off, or the role approves: a bill that waits there does not post and cannot be paid.",
        (
            "In NetSuite open Setup > Accounting > Accounting Preferences > Approval Routing.",
            "Look at Vendor Bills, and under General at Default Vendor Bill Status.",
        ),
        (Breaks.BILLS,),
    ),
    Asked(
        "PAYMENT_APPROVAL",
        "Payments need no approval in NetSuite",
        "It must be off: a payment would wait there.",
        ("In NetSuite open Setup > Accounting > Accounting Preferences > Approval Routing.", "Look at Payments."),
        (Breaks.PAYMENTS,),
    ),
    Asked(
        "RIGHT_TO_WRITE_BILLS",
        "The role may create and edit bills",
        "It needs Transactions > Bills at level Full.",
        ("In NetSuite open Setup > Users/Roles > Manage Roles, and the token's role.", "Look at Bills."),
        (Breaks.BILLS,),
    ),
    Asked(
        "RIGHT_TO_PAY",
        "The role may create payments",
        "It needs Transactions > Pay Bills at level Create.",
        ("In NetSuite open Setup > Users/Roles > Manage Roles, and the token's role.", "Look at Pay Bills."),
        (Breaks.PAYMENTS,),
    ),
)


def check(preflight: PreflightResult, in_advance: bool | None, receives: bool | None) -> list[SetupCheck]:
    """Return every check, with what the preflight found and what orders show of billing in advance of receipt.
    `receives`: whether the account has item receipts; None: that cannot be read now."""
    return [
        *of_preflight(PREFLIGHT, preflight),
        _bill_in_advance(in_advance),
        _item_receipts(receives),
        *(unknown(asked) for asked in ASKED),
    ]


def _item_receipts(receives: bool | None) -> SetupCheck:  # S4-30
    title = "Goods are received by item receipts"
    if receives:
        why = "The account has item receipts."
        return SetupCheck(code="ITEM_RECEIPTS", title=title, state=CheckState.PASS, why=why, seen="in use")
    return SetupCheck(
        code="ITEM_RECEIPTS",
        title=title,
        state=CheckState.UNKNOWN,
        why="None is shown yet. Matching against what was received needs them: without, nothing can be billed.",
        fix=(
            "In NetSuite open Setup > Company > Enable Features > Transactions, and look at Advanced Receiving.",
            "Receive orders by Transactions > Purchases > Receive Orders.",
        ),
    )


def _bill_in_advance(in_advance: bool | None) -> SetupCheck:
    title = "Bills may come before their goods"
    steps = (
        "In NetSuite open Setup > Accounting > Accounting Preferences > Order Management.",
        "Look at Bill in Advance of Receipt.",
    )
    if in_advance is None:
        why = "No order waits for its receipt, so none can show it. Either value is right; bills are matched by it."
        return SetupCheck(code="BILL_IN_ADVANCE", title=title, state=CheckState.UNKNOWN, why=why, fix=steps)
    why = "They may." if in_advance else "They may not: a bill waits for the receipt of its goods."
    seen = "on" if in_advance else "off"
    return SetupCheck(code="BILL_IN_ADVANCE", title=title, state=CheckState.PASS, why=why, seen=seen, fix=steps)
