"""Complete the lines of a requested bill that are on no order: their account, and the item that stands for it.

A line names its account by the ERP's id, its number or its name; one that names none goes to the connection's expense
account (S2-61). On an order's bill in an ERP whose lines take items only, the connection maps the account to an item.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.account_lines import ACCOUNT_ITEM, EXPENSE_ACCOUNT
from models.domain.ids import ConnectionId
from models.domain.lists import ListKind
from models.store.sync import list_entries
from models.store.sync.list_entries import Entry
from models.tables import ConnectionRow
from services.refusal import Refused


class AccountLine(NamedTuple):
    """A line on no order as it came in: its number, and the account that it names, if any."""

    line_no: int
    account: str | None


class Placed(NamedTuple):
    """Where a line on no order goes."""

    account: str
    """By the ERP's id of it."""
    item_id: str | None
    """The item that stands for the account; None: the ERP's line takes the account itself."""
    by_default: bool
    """The line named no account."""


async def place(
    session: AsyncSession,
    connection: ConnectionRow,
    lines: Sequence[AccountLine],
    *,
    on_order: bool,
    entity: str | None = None,
) -> Mapping[int, Placed]:
    """Return where these lines of one bill go, by their number. `on_order`: the bill has lines on orders too;
    `entity`: the one that the bill belongs to, if any.

    Raises:
        Refused: ACCOUNT_MISSING, ACCOUNT_UNKNOWN or ACCOUNT_ITEM_MISSING, naming the line and the preference.
    """
    if not lines:
        return {}
    default = str(connection.preferences.get(EXPENSE_ACCOUNT) or "")
    named = {line.line_no: line.account or default for line in lines}
    for line in lines:
        if not named[line.line_no]:
            raise Refused(
                "ACCOUNT_MISSING",
                f"Line {line.line_no} names no account, and the connection has no preference {EXPENSE_ACCOUNT}.",
            )
    texts = sorted(set(named.values()))
    known = await list_entries.named(session, ConnectionId(connection.id), ListKind.GL_ACCOUNT, texts)
    if known is None:  # no account came in yet: the ERP has the last word
        known = {one: Entry(one, one, one, active=True) for one in texts}
    placed: dict[int, Placed] = {}
    for line in lines:
        text = named[line.line_no]
        account = known.get(text)
        if account is None or not account.active:
            state = "not active" if account is not None else "in no list that came in"
            raise Refused("ACCOUNT_UNKNOWN", f"Line {line.line_no}: the account {text!r} is {state}.")
        entities = str(account.attributes.get("entities") or "").split(",")
        if entity and entities != [""] and entity not in entities:
            said = f"is for {', '.join(entities)}, and the bill for {entity}"
            raise Refused("ACCOUNT_UNKNOWN", f"Line {line.line_no}: the account {text!r} {said}.")
        item = _item(connection, account) if on_order else None
        if item == "":
            raise Refused(
                "ACCOUNT_ITEM_MISSING",
                f"Line {line.line_no} is on no order. The ERP's bill of an order takes items only, and none stands for "
                f"account {account.number}: the preference {ACCOUNT_ITEM}{account.number} is not set.",
            )
        placed[line.line_no] = Placed(account.key, item, by_default=not line.account)
    items = [(ListKind.ITEM, where.item_id) for where in placed.values() if where.item_id]
    unknown = await list_entries.unknown(session, ConnectionId(connection.id), sorted(set(items)))
    for line_no, where in placed.items():
        if where.item_id and (ListKind.ITEM, where.item_id) in unknown:
            raise Refused(
                "ACCOUNT_ITEM_MISSING",
                f"Line {line_no}: the ERP has no item {where.item_id!r}, which a preference {ACCOUNT_ITEM}… names.",
            )
    return placed


def _item(connection: ConnectionRow, account: Entry) -> str | None:
    """Return the item that stands for the account; None: none is needed; empty: one is needed, and none is named."""
    if not connection.capabilities.get("account_lines_as_items"):
        return None
    for name in (account.key, account.number, account.name):
        item = connection.preferences.get(f"{ACCOUNT_ITEM}{name}")
        if item:
            return str(item)
    return ""


def notices_of(placed: Mapping[int, Placed]) -> list[dict[str, str]]:
    """Return what the caller should know of lines that go somewhere else than they say."""
    notices = []
    for line_no, where in sorted(placed.items()):
        if where.item_id:
            what = f"Line {line_no} is on no order: it goes out as item {where.item_id}, which stands for account "
            notices.append({"code": "ACCOUNT_LINE_AS_ITEM", "message": f"{what}{where.account}."})
        if where.by_default:
            what = f"Line {line_no} names no account: it goes to {where.account}, the connection's expense account."
            notices.append({"code": "EXPENSE_ACCOUNT_USED", "message": what})
    return notices
