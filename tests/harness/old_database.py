"""A database as commit 1e5ffd4 left it: `posync demo` ran to its end, then three things were left open.

A bill that Intacct refused (its period is closed, and the issue is open), a payment per connection that is 200 days
away, and a bill in NetSuite. The rows are real; the ERPs they speak of were the sandbox, and the credentials in them
are sealed with a key that nobody kept.

Made with that commit's own program: `posync demo --keep --state-dir D`, the three requests over its API, then
`pg_dump --no-owner --no-privileges --no-comments --inserts` of D/postgres, without comments and psql's own commands.
"""

import gzip
import secrets
from pathlib import Path

import asyncpg

from cli.local.embedded import EmbeddedPostgres
from models.domain.ids import BillId, ConnectionId, OrganizationId, PaymentId, PurchaseOrderId

DUMP = Path(__file__).parents[1] / "unit" / "store" / "data" / "demo_end_of_1e5ffd4.sql.gz"

ORGANIZATION = OrganizationId("org_1c277d1d9c34d9b06902ca25")
INTACCT = ConnectionId("intacct-acme-100")
NETSUITE = ConnectionId("netsuite-tstdrv1-1")
FILLED_ORDER = PurchaseOrderId("po_c502cbd88a8ae62d07ecfc82")
"""PO-1007 in Intacct, billed in two bills and paid in part."""
OPEN_ORDER = PurchaseOrderId("po_8946a20db9420ec97aae8b03")
"""PO-1033 in Intacct, of which the refused bill reserves one piece."""
REFUSED_BILL = BillId("bill_4282744a087e51a59975")
BILL_TO_PAY = BillId("bill_17c5a9383dd8d6677ee5")
PAYMENTS_FAR_AWAY = {
    INTACCT: PaymentId("pay_892f726fc0202d17cd72"),
    NETSUITE: PaymentId("pay_c242f211736df2750193"),
}


async def restore_demo_end(postgres: EmbeddedPostgres) -> str:
    """Make a database of that commit's schema with its rows, and return its URL."""
    url = postgres.create_database(f"posync_{secrets.token_hex(6)}")
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(gzip.decompress(DUMP.read_bytes()).decode())
    finally:
        await connection.close()
    return url
