"""Ask which currency the books of a company, or of one of its entities, are kept in (reference 7.2)."""

from erp.intacct import wire
from erp.intacct.client import IntacctClient
from erp.intacct.wire import Query


async def base_currency(client: IntacctClient, *, level: str | None) -> str | None:
    """Return the currency that the books at this level are kept in.

    None: the user may not read the set-up, or the entities keep their books in several currencies and the connection
    is at the top level.
    """
    functions = [wire.financial_setup()]
    if level is not None:
        entity = Query("LOCATIONENTITY", ("LOCATIONID", "CURRENCY"), wire.equal("LOCATIONID", level))
        functions.append(entity.xml(page_size=1, show_private=False))
    setup, *entities = await client.read(functions, level=level)
    if setup.data is None:
        return None
    said = {str(node.tag).casefold(): (node.text or "").strip() for node in setup.data.iter() if len(node) == 0}
    if said.get("multibasecurrency", "").casefold() != "true":
        return said.get("basecurrency") or None
    for result in entities:
        for row in wire.rows(result.data) if result.data is not None else ():
            return row.get("CURRENCY") or None
    return None
