"""Which bank or card account a payment is made from, and which accounts a connection has."""

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bank_accounts import BankAccountType, type_of
from models.domain.ids import ConnectionId
from models.domain.lists import ListKind
from models.domain.payments import PaymentMethod, PostsWhen
from models.store.sync import list_entries
from models.tables import ConnectionRow
from services.refusal import Refused

PREFERENCE = "bank_account"


def default_account(connection: ConnectionRow) -> str | None:
    """Return what the connection's payments are made from where they name nothing, as it was entered."""
    return str(connection.preferences.get(PREFERENCE) or "") or None


async def default_key(session: AsyncSession, connection: ConnectionRow) -> str | None:
    """Return the default account as the ERP names it; None: there is none, or no list has it."""
    default = default_account(connection)
    if default is None:
        return None
    known = await list_entries.named(session, ConnectionId(connection.id), ListKind.BANK_ACCOUNT, [default])
    return None if known is None or default not in known else known[default].key


def check_method(connection: ConnectionRow, method: PaymentMethod, *, paid_outside: bool) -> None:
    """Check that the ERP has the method, and posts it at once where the money went out already.

    Raises:
        Refused: METHOD_NOT_OFFERED or METHOD_NOT_PAID_OUTSIDE.
    """
    offered = {one["method"]: one["posts"] for one in connection.capabilities.get("payment_methods") or ()}
    if not offered:
        return
    if method not in offered:
        raise Refused("METHOD_NOT_OFFERED", f"{connection.erp} has no method {method}; it has {', '.join(offered)}.")
    if paid_outside and offered[method] != PostsWhen.AT_ONCE:
        raise Refused(
            "METHOD_NOT_PAID_OUTSIDE", f"A payment by {method} waits in {connection.erp} until somebody confirms it."
        )


async def account_to_pay_from(
    session: AsyncSession, connection: ConnectionRow, named: str | None, method: PaymentMethod | None
) -> tuple[str, PaymentMethod]:
    """Return the account that a payment is made from, as it was named (by the payment, else the default), and the
    method.

    Where no account came in from the ERP yet, the ERP has the last word on it.

    Raises:
        Refused: BANK_ACCOUNT_MISSING, BANK_ACCOUNT_UNKNOWN, BANK_ACCOUNT_INACTIVE or BANK_ACCOUNT_OF_OTHER_TYPE.
    """
    account = named or default_account(connection)
    if account is None:
        raise Refused("BANK_ACCOUNT_MISSING", "Neither the payment nor the connection's preferences name one.")
    known = await list_entries.named(session, ConnectionId(connection.id), ListKind.BANK_ACCOUNT, [account])
    if known is None:
        return account, method or PaymentMethod.EFT
    entry = known.get(account)
    if entry is None:
        raise Refused("BANK_ACCOUNT_UNKNOWN", f"The ERP has no bank or card account {account!r}.")
    if not entry.active:
        raise Refused("BANK_ACCOUNT_INACTIVE", f"The account {account!r} is inactive in the ERP.")
    is_card = type_of(entry.attributes) is BankAccountType.CARD
    method = method or (PaymentMethod.CARD if is_card else PaymentMethod.EFT)
    if is_card is not (method is PaymentMethod.CARD):
        what = "a card" if is_card else "no card"
        raise Refused("BANK_ACCOUNT_OF_OTHER_TYPE", f"The account {account!r} is {what}, and the method {method}.")
    return account, method
