"""Connect QuickBooks Desktop: nothing is given; its Web Connector is set up with values from us (reference 1.5)."""

from erp.sign_in import CredentialsSpec, Question, SignInKind

OWNER_ID = "{6b0a3ad5-6f0e-4a0f-9a36-3a6f5a5f4c10}"
"""Names posync in every company file, for ever."""

CREDENTIALS_SPECS = CredentialsSpec(
    kind=SignInKind.WEB_CONNECTOR,
    what="a QuickBooks Desktop company",
    company=None,
    credentials=(),
    may_be_given=(),
    entity=None,
    preferences=(
        Question("bank_account", "The account bills are paid from."),
        Question(
            "replace_item_receipts",
            "Let a bill take the place of item receipts that hold its goods: they are deleted, and what the bill"
            " leaves of them is received anew.",
            yes_or_no=True,
        ),
    ),
    default_endpoint=lambda _: "web-connector:",
    max_in_flight=1,
    read_lag_seconds=0,
)
