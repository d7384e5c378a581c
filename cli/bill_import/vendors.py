"""Find the order that a file means by its number and its vendor, whatever the file calls the vendor.

A supplier's file knows a vendor by the id that people use, by its name, or by an id of a third system; in NetSuite the
internal id, which orders name, is in nobody's file.
"""

from typing import Any

from cli.client.api_client import Api


class UnknownOrder(Exception):
    """There is no such order of this vendor; the text says what there is instead."""


def find_order(client: Api, vendor: str, number: str) -> dict[str, Any]:
    """Return the order of this number whose vendor has this id, number, external id or name.

    Raises:
        UnknownOrder: there is none, or more than one.
    """
    meant = results = _numbered(client, number, vendor=vendor)
    if not results:
        results = _numbered(client, number)
        meant = [order for order in results if _is(client, order, vendor)]
    if len(meant) == 1:
        return dict(client.get(f"/v1/purchase-orders/{meant[0]['id']}"))
    if len(meant) > 1:
        raise UnknownOrder(f"vendor {vendor} has {len(meant)} purchase orders {number}")
    if not results:
        raise UnknownOrder(f"vendor {vendor} has no purchase order {number}")
    owners = sorted({f"{order['vendor_id']} ({order['vendor_name']})" for order in results})
    raise UnknownOrder(f"{number} belongs to vendor {' and '.join(owners)}, not to {vendor}")


def vendor_id(client: Api, connection: str, vendor: str) -> str:
    """Return the id of the only vendor of a connection that is called so, else the text as it is."""
    entries = client.pages(f"/v1/connections/{connection}/lists/vendor", q=_sought(vendor))
    keys = {str(entry["key"]) for entry in entries if vendor in _ids(entry) or _same(vendor, entry["name"])}
    return keys.pop() if len(keys) == 1 else vendor


def _numbered(client: Api, number: str, **narrower: str) -> list[dict[str, Any]]:
    orders = client.pages("/v1/purchase-orders", q=number, **narrower)
    return [order for order in orders if order["number"] == number]


def _is(client: Api, order: dict[str, Any], vendor: str) -> bool:
    if _same(vendor, order["vendor_name"]):
        return True
    entries = client.pages(f"/v1/connections/{order['connection_id']}/lists/vendor", q=_sought(vendor))
    keys = {entry["key"] for entry in entries if vendor in _ids(entry) or _same(vendor, entry["name"])}
    return keys == {order["vendor_id"]}


def _sought(vendor: str) -> str:
    """Return the part that the list is asked for: a name is compared without regard to its blanks, the list is not."""
    return max(vendor.split(), key=len, default="")[:100]


def _ids(entry: dict[str, Any]) -> set[str]:
    other = entry.get("attributes") or {}
    return {str(known) for known in (entry["key"], other.get("number"), other.get("external_id")) if known}


def _same(vendor: str, name: str) -> bool:
    return " ".join(vendor.split()).casefold() == " ".join(name.split()).casefold()
