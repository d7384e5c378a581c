"""Writing one record: add under our key, or update by internal id (reference 3.5, 7)."""

from typing import Any

from lxml import etree

from erp.netsuite import faults, wire
from erp.netsuite.client import NetSuiteClient


class Writer:
    """Writes of one connection."""

    def __init__(self, client: NetSuiteClient) -> None:
        self._client = client

    async def add(self, kind: str, values: dict[str, Any]) -> str:
        """Add a record of the purchases schema; gives its internal id.

        `add` with an external id makes one record and refuses the second as Duplicate; `upsert` would instead rewrite
        the lines of one that somebody may have paid by now (section 7).
        """
        response = await self._write("add", kind, values)
        reference = wire.child(response, "baseRef")
        internal_id = reference.get("internalId") if reference is not None else None
        if not internal_id:
            raise faults.malformed("NetSuite accepted the record without naming it.", writing=True)
        return internal_id

    async def update(self, kind: str, values: dict[str, Any]) -> None:
        """Change what the values name, and nothing else."""
        await self._write("update", kind, values)

    async def _write(self, operation: str, kind: str, values: dict[str, Any]) -> etree._Element:
        soap = await self._client.soap()
        record = soap.make("purchases", kind, **values)
        answer = await self._client.call(operation, {"record": record}, writing=True)
        response = wire.child(answer, "writeResponse")
        status = None if response is None else wire.status(response)
        if response is None or status is None:
            raise faults.malformed("A write was answered without its status.", writing=True)
        if not status.success:
            raise faults.refusal(status, writing=True)
        # A script that failed after saving is told as a detail of a success: the record is there, so that is all.
        return response


def reference(internal_id: str | None) -> dict[str, str] | None:
    return {"internalId": internal_id} if internal_id else None


def given(**values: Any) -> dict[str, Any]:
    """Only what has a value: an absent element leaves NetSuite its default."""
    return {name: value for name, value in values.items() if value is not None and value != ""}
