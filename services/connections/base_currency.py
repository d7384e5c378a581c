"""Settle which currency the books behind a connection are kept in: the ERP's own word, else a person's."""

from sqlmodel.ext.asyncio.session import AsyncSession

from erp.connection import PreferenceProblem
from models.domain.connections import BaseCurrencySource
from models.domain.currencies import DECIMALS, decimals_of
from models.domain.ids import ConnectionId
from models.domain.sync import Stream
from models.store.connections import connections
from models.store.orders import excluded_records
from models.store.sync import cursors
from models.tables import ConnectionRow
from services.refusal import Refused
from services.sync.import_window import first_import_from, start_of

PREFERENCE = "base_currency"


def must_agree(said_by_erp: str | None, given: str | None) -> None:
    """Check that a person does not contradict the ERP.

    Raises:
        Refused: BASE_CURRENCY_DIFFERS.
    """
    if said_by_erp is not None and given is not None and said_by_erp != given:
        raise Refused("BASE_CURRENCY_DIFFERS", f"The ERP keeps these books in {said_by_erp}, not in {given}.")


async def settle(session: AsyncSession, row: ConnectionRow, said_by_erp: str | None, given: str | None) -> None:
    """Store what the ERP says, or else what a person says; neither leaves the connection as it is.

    Where the currency changes, what was left out for it is read again.

    Raises:
        Refused: BASE_CURRENCY_DIFFERS.
    """
    must_agree(said_by_erp, given)
    currency = said_by_erp or given
    source = BaseCurrencySource.PERSON if said_by_erp is None else BaseCurrencySource.ERP
    if currency is None or (currency, source) == (row.base_currency, row.base_currency_from):
        return
    connection_id, before = ConnectionId(row.id), row.base_currency
    await connections.set_base_currency(session, connection_id, currency, source)
    if currency == before:
        return
    for stream in (Stream.PURCHASE_ORDERS, Stream.RECEIPTS, Stream.BILLS, Stream.PAYMENTS):
        await excluded_records.reconsider(session, connection_id, stream, "OTHER_CURRENCY")
        await cursors.rewind(session, connection_id, stream, start_of(first_import_from(row)))


def problems(row: ConnectionRow) -> list[PreferenceProblem]:
    """Return what keeps transactions from syncing: nobody says the currency, or amounts in it are not served."""
    if row.base_currency_from == BaseCurrencySource.ASSUMED:
        return [
            PreferenceProblem(
                code="BASE_CURRENCY_UNKNOWN",
                preference=PREFERENCE,
                message="The ERP does not say which currency these books are kept in.",
                fix=(
                    "Look it up in the ERP, and set it with the preferences: `base_currency` of"
                    " `PUT /v1/connections/{id}/preferences`.",
                    "Or run the command that connected it once more, with --base-currency.",
                ),
            )
        ]
    if decimals_of(row.base_currency) != DECIMALS:
        return [
            PreferenceProblem(
                code="BASE_CURRENCY_NOT_SERVED",
                preference=PREFERENCE,
                message=(
                    f"Amounts in {row.base_currency} have {decimals_of(row.base_currency)} decimals;"
                    f" only currencies with {DECIMALS} are served."
                ),
                fix=("Connect a company or an entity that keeps its books in such a currency.",),
            )
        ]
    return []
