"""What there is to set on a connection: each setting with its default, who may change it, what it changes, and whether
that can be undone. `docs/reference/connection-settings.md` says the same."""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from models.domain.accounting_settings import Dimension
from models.domain.list_changes import WRITTEN, ListMaster
from models.domain.lists import ListKind
from models.store.connections import connections
from models.tables import ConnectionRow


class SetBy(StrEnum):
    """The lowest role that may change a setting; `NOBODY`: it is given when the connection is made."""

    ADMIN = "admin"
    ACCOUNTANT = "accountant"
    NOBODY = "nobody"


class Undo(StrEnum):
    """Whether a change can be taken back."""

    ANY_TIME = "any_time"
    NEVER = "never"
    """Once on, it stays on."""


Value = str | int | bool | None


class SettingFacts(NamedTuple):
    """One setting."""

    name: str
    default: Value
    set_by: SetBy
    undo: Undo
    changes: str
    """What it changes."""
    where: str
    """The route below `/v1/connections/{id}` that changes it."""
    value: Callable[[ConnectionRow], Value]


ONCE = "given with POST /v1/connections"


def _kept(name: str) -> Callable[[ConnectionRow], Value]:
    """Return what reads one of the settings that are kept together."""
    return lambda row: row.settings.get(name)


def _master(kind: ListKind) -> Callable[[ConnectionRow], Value]:
    """Return what reads the master of a list."""
    return lambda row: str(row.list_masters.get(kind.value, ListMaster.ERP.value))


def _carried(dimension: Dimension) -> Callable[[ConnectionRow], Value]:
    """Return what reads whether bills carry a dimension."""
    return lambda row: bool(row.dimensions.get(dimension.value, True))


SETTINGS: tuple[SettingFacts, ...] = (
    SettingFacts(
        "purchase_orders",
        False,
        SetBy.ADMIN,
        Undo.ANY_TIME,
        "Orders come in, are shown, and bills are matched with them; off hides them, and links that exist stay.",
        "PUT /purchase-orders",
        lambda row: row.purchase_orders_enabled,
    ),
    SettingFacts(
        "match_mode",
        "two_way",
        SetBy.ADMIN,
        Undo.ANY_TIME,
        "What a bill is compared with: the order, or also what was received. Bills in review are matched again.",
        "PUT /purchase-orders",
        lambda row: row.match_mode,
    ),
    SettingFacts(
        "one_way",
        False,
        SetBy.ACCOUNTANT,
        Undo.NEVER,
        "Bills and payments made or changed in the ERP do not come in. Deletions and voids of ours do, so that nothing"
        " is paid twice.",
        "PUT /preferences",
        lambda row: row.one_way,
    ),
    SettingFacts(
        "approvals",
        False,
        SetBy.ADMIN,
        Undo.ANY_TIME,
        "Bills need the approval of people, as the rules say.",
        "PUT /approvals",
        lambda row: row.approvals_enabled,
    ),
    SettingFacts(
        "push_when",
        "matched",
        SetBy.ADMIN,
        Undo.ANY_TIME,
        "What a bill waits for before it is sent.",
        "PUT /approvals",
        lambda row: row.push_when,
    ),
    SettingFacts(
        "only_approved",
        False,
        SetBy.ADMIN,
        Undo.NEVER,
        "Only approved bills are sent.",
        "PUT /approvals",
        lambda row: row.only_approved,
    ),
    SettingFacts(
        "retract_by",
        "delete",
        SetBy.ADMIN,
        Undo.ANY_TIME,
        "How a bill on an order is taken back from the ERP. Bills that were taken back stay as they are.",
        "PUT /retraction-ways",
        lambda row: row.retract_by,
    ),
    SettingFacts(
        "retract_direct_by",
        "delete",
        SetBy.ADMIN,
        Undo.ANY_TIME,
        "The same for a bill without an order.",
        "PUT /retraction-ways",
        lambda row: row.retract_direct_by,
    ),
    *(
        SettingFacts(
            f"list_masters.{kind.value}",
            "erp",
            SetBy.ADMIN,
            Undo.ANY_TIME,
            "Whose value stays where a field was changed on both sides.",
            "PUT /list-settings",
            _master(kind),
        )
        for kind in WRITTEN
    ),
    SettingFacts(
        "list_level",
        "entity",
        SetBy.ADMIN,
        Undo.ANY_TIME,
        "Whether list entries made here belong to one entity or to all; those of all are changed here only with `top`.",
        "PUT /list-settings",
        lambda row: row.list_level,
    ),
    SettingFacts(
        "vendor_ids",
        "given",
        SetBy.ADMIN,
        Undo.ANY_TIME,
        "Whether people give new vendors their ids, or the ERP numbers them.",
        "PUT /list-settings",
        lambda row: row.vendor_ids,
    ),
    *(
        SettingFacts(
            f"dimensions.{dimension.value}",
            True,
            SetBy.ADMIN,
            Undo.ANY_TIME,
            "Whether bills carry it: taken from the order, taken on a line, and sent. Counts for what is entered then.",
            "PUT /accounting-settings",
            _carried(dimension),
        )
        for dimension in Dimension
    ),
    SettingFacts(
        "posting_day",
        "bill_date",
        SetBy.ADMIN,
        Undo.ANY_TIME,
        "The day a bill posts on where nobody gives one: its own date, its entry, or the first day of open books.",
        "PUT /accounting-settings",
        lambda row: row.posting_day,
    ),
    SettingFacts(
        "base_currency",
        None,
        SetBy.ACCOUNTANT,
        Undo.ANY_TIME,
        "Orders and bills in another currency are left out. The ERP's own word replaces a person's.",
        "PUT /preferences",
        lambda row: row.base_currency,
    ),
    SettingFacts(
        "time_zone",
        None,
        SetBy.ACCOUNTANT,
        Undo.ANY_TIME,
        "Where the company's days begin and end; payments that wait keep their moment.",
        "PUT /preferences",
        lambda row: row.time_zone,
    ),
    SettingFacts(
        "every_minutes",
        connections.DAILY,
        SetBy.ACCOUNTANT,
        Undo.ANY_TIME,
        "How often it syncs by itself, at least once a day; with none, only when somebody asks.",
        "PUT /schedule",
        lambda row: row.sync_every_minutes,
    ),
    SettingFacts(
        "first_import_from",
        None,
        SetBy.NOBODY,
        Undo.ANY_TIME,
        "The first order date of the first import; without it, three months back. A backfill brings older orders.",
        ONCE,
        lambda row: None if row.first_import_from is None else row.first_import_from.isoformat(),
    ),
    *(
        SettingFacts(
            name,
            default,
            SetBy.ACCOUNTANT,
            Undo.ANY_TIME,
            changes,
            "PUT /credentials",
            _kept(name),
        )
        for name, default, changes in (
            ("max_in_flight", None, "Calls to the ERP at once; without it, what suits most accounts of this ERP."),
            ("timeout_seconds", 60, "How long one step of a call may take."),
            ("read_lag_seconds", None, "How long the ERP's reads may lag behind its writes."),
            ("page_size", None, "Records in a page; without it, the most that the ERP gives."),
            ("allow_loopback", False, "Addresses on this machine are allowed, for the sandbox."),
        )
    ),
)


def is_permanent(facts: SettingFacts, value: Value) -> bool:
    """Return whether the setting cannot be changed any more as it stands."""
    return facts.set_by is SetBy.NOBODY or (facts.undo is Undo.NEVER and value is True)
