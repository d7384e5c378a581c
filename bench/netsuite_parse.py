"""How many NetSuite orders of five lines one core reads per second: `python -m bench.netsuite_parse`.

From the bytes of a `getList` answer to our own records, as a sync page does it. The answers are as full as NetSuite's:
every reference with its name, the read-only fields, addresses.
"""

import sys

from lxml import etree

from bench.parse_rate import parse_rate, show
from erp.netsuite import reader, translate, wire
from erp.netsuite.currencies import Currencies
from erp.netsuite.wire import NsRecord
from models.domain.orders import PurchaseOrder

ORDERS = 100
LINES = 5
ROUNDS = 10
GOAL = 8_000

_NAMESPACES = (
    'xmlns="urn:messages_2023_2.platform.webservices.netsuite.com" '
    'xmlns:c="urn:core_2023_2.platform.webservices.netsuite.com" '
    'xmlns:k="urn:common_2023_2.platform.webservices.netsuite.com" '
    'xmlns:p="urn:purchases_2023_2.transactions.webservices.netsuite.com" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)


class _Dollars(Currencies):
    """One currency, without asking anybody."""

    def __init__(self) -> None:
        self._symbols = {"1": "USD"}
        self._base = "USD"


def _ref(name: str, internal_id: int, shown: str) -> str:
    return f'<p:{name} internalId="{internal_id}"><c:name>{shown}</c:name></p:{name}>'


def _line(number: int) -> str:
    return (
        f"<p:item>{_ref('item', 300 + number, f'ITEM-{number:04}')}<p:line>{number}</p:line>"
        "<p:quantityReceived>4.0</p:quantityReceived><p:quantityBilled>2.0</p:quantityBilled>"
        "<p:quantityAvailable>120.0</p:quantityAvailable><p:quantityOnHand>140.0</p:quantityOnHand>"
        f"<p:quantity>10.0</p:quantity>{_ref('units', 2, 'Each')}"
        f"<p:description>Item number {number}, blue</p:description>"
        f"<p:rate>12.50</p:rate><p:amount>125.0</p:amount>{_ref('department', 3, 'Operations')}"
        f"{_ref('class', 4, 'Operating')}{_ref('location', 5, 'Main : New York')}<p:isBillable>false</p:isBillable>"
        "<p:matchBillToReceipt>true</p:matchBillToReceipt><p:expectedReceiptDate>2031-07-01T00:00:00.000-07:00"
        "</p:expectedReceiptDate><p:isClosed>false</p:isClosed></p:item>"
    )


def _order(number: int) -> str:
    return (
        f'<readResponse><c:status isSuccess="true"/><record internalId="{number}" xsi:type="p:PurchaseOrder">'
        "<p:createdDate>2031-06-01T09:30:00.000-07:00</p:createdDate>"
        f"<p:lastModifiedDate>2031-06-{number % 28 + 1:02}T17:00:{number % 60:02}.000-07:00</p:lastModifiedDate>"
        f"{_ref('customForm', 98, 'Standard Purchase Order')}{_ref('entity', 5, 'V100 Acme Tools')}"
        f"{_ref('employee', 9, 'Maria Lopez')}<p:supervisorApproval>true</p:supervisorApproval>"
        f"<p:tranDate>2031-06-01T00:00:00.000-07:00</p:tranDate><p:tranId>PO-{number}</p:tranId>"
        f"{_ref('terms', 2, 'Net 30')}<p:dueDate>2031-07-01T00:00:00.000-07:00</p:dueDate>"
        "<p:memo>Requested by Maria Lopez</p:memo><p:exchangeRate>1.0</p:exchangeRate>"
        "<p:currencyName>US Dollar</p:currencyName><p:toBePrinted>false</p:toBePrinted>"
        "<p:toBeEmailed>false</p:toBeEmailed><p:toBeFaxed>false</p:toBeFaxed><p:billingAddress>"
        "<k:country>_unitedStates</k:country><k:addressee>Acme Tools</k:addressee><k:addr1>1 Main Street</k:addr1>"
        "<k:city>Springfield</k:city><k:state>IL</k:state><k:zip>62701</k:zip></p:billingAddress>"
        f"{_ref('currency', 1, 'US Dollar')}<p:subTotal>625.0</p:subTotal><p:taxTotal>0.0</p:taxTotal>"
        f"<p:total>625.0</p:total>{_ref('department', 3, 'Operations')}{_ref('subsidiary', 1, 'Parent Company')}"
        "<p:status>Pending Billing/Partially Received</p:status>"
        "<p:orderStatus>_pendingBillingPartiallyReceived</p:orderStatus><p:itemList>"
        f"{''.join(_line(line) for line in range(1, LINES + 1))}</p:itemList></record></readResponse>"
    )


def answer() -> bytes:
    """A `getList` answer of a hundred orders."""
    orders = "".join(_order(number) for number in range(1, ORDERS + 1))
    return (
        '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope '
        'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
        f'<getListResponse {_NAMESPACES}><readResponseList><c:status isSuccess="true"/>{orders}'
        "</readResponseList></getListResponse></soapenv:Body></soapenv:Envelope>"
    ).encode()


def read(content: bytes) -> list[PurchaseOrder]:
    """What a sync page makes of the answer."""
    currencies = _Dollars()
    found: etree._Element | None = wire.child(wire.parse(content), "Body", "getListResponse", "readResponseList")
    outcomes = [reader.read_response(response) for response in wire.children(found, "readResponse")]
    orders = [translate.order(outcome, currencies, {}) for outcome in outcomes if isinstance(outcome, NsRecord)]
    assert not any(translate.has_amount_lines(order) for order in orders)  # of those the bills are asked, too
    return orders


def measure() -> float:
    """Orders per second of processor time."""
    return parse_rate(read, answer(), rounds=ROUNDS, lines=LINES)


def main() -> int:
    show(measure(), lines=LINES, bytes_of_one=len(answer()) / ORDERS, goal=GOAL)
    return 0


if __name__ == "__main__":
    sys.exit(main())
