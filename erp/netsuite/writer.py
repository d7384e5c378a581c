"""Write one record: add it under our key, or update it by internal id (reference 3.5, 7)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from lxml import etree

from erp.netsuite import answers
from erp.netsuite.client import NetSuiteClient
from erp.netsuite.soap import Soap


class Typed(NamedTuple):
    """A value whose type the schema leaves open: where its type is described, its name, and its elements."""

    schema: str
    type: str
    values: Mapping[str, Any]


class Writer:
    """Writes the records of one connection."""

    def __init__(self, client: NetSuiteClient) -> None:
        self._client = client

    async def add(self, kind: str, values: dict[str, Any], *, schema: str = "purchases") -> str:
        """Add a record, and return its internal id. `schema` is where its type is described.

        `add` with an external id creates one record and refuses the second as Duplicate. `upsert` would instead rewrite
        the lines of a record that somebody may have paid by now (section 7).

        Raises:
            Duplicate: there is a record with this external id.
            OutcomeUnknown: the answer has no id.
        """
        response = await self._write("add", kind, values, schema)
        return answers.name_of(response)

    async def update(self, kind: str, values: dict[str, Any], *, schema: str = "purchases") -> None:
        """Change what the values name, and nothing else. `schema` is where its type is described."""
        await self._write("update", kind, values, schema)

    async def delete(self, kind: str, internal_id: str) -> None:
        """Delete a record by its internal id.

        Raises:
            Rejected: NetSuite refused it, or there is no such record.
        """
        soap = await self._client.soap()
        named = soap.make("core", "RecordRef", type=kind, internalId=internal_id)
        answers.written(await self._client.call("delete", {"baseRef": named}, writing=True))

    async def _write(self, operation: str, kind: str, values: dict[str, Any], schema: str) -> etree._Element:
        soap = await self._client.soap()
        record = soap.make(schema, kind, **_made(soap, values))
        answer = await self._client.call(operation, {"record": record}, writing=True)
        return answers.written(answer)


def _made(soap: Soap, value: Any) -> Any:
    """Return a value with all that is `Typed` in it as the schema's own types."""
    if isinstance(value, Typed):
        return soap.make(value.schema, value.type, **_made(soap, value.values))
    if isinstance(value, Mapping):
        return {name: _made(soap, one) for name, one in value.items()}
    return [_made(soap, one) for one in value] if isinstance(value, list) else value


def reference(internal_id: str | None) -> dict[str, str] | None:
    """Return a reference to the internal id; None without an id."""
    return {"internalId": internal_id} if internal_id else None


def given(**values: Any) -> dict[str, Any]:
    """Return only the values that are there: an absent element leaves NetSuite its default."""
    return {name: value for name, value in values.items() if value is not None and value != ""}
