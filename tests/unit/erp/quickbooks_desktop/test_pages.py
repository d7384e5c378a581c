"""Pages of what QuickBooks answered in many parts: several parts make a page, and a page can be read again."""

from typing import Any

import pytest

from erp.errors import Deferred, Unavailable
from erp.exchanges import PagedAnswer
from erp.quickbooks_desktop.client import Client
from erp.quickbooks_desktop.reader import ENOUGH, Leg, Listing, Reader

LEGS = (Leg(("PurchaseOrder",), True, ("PurchaseOrderRet",)),)
OF_A_PART = 100


class StoredParts:
    """The journal of an answer of so many parts."""

    def __init__(self, parts: int) -> None:
        self.parts = parts
        self.asked = 0
        self.gone = False
        self.read: list[int] = []

    async def read_paged(self, key: str, request: str) -> PagedAnswer:
        self.asked += 1
        if self.gone:
            raise Deferred("asked once more", code="ERP_ANSWERS_LATER")
        return PagedAnswer("stored", self.parts, 0.0)

    async def page(self, name: str, number: int) -> str | None:
        if self.gone:
            return None
        self.read.append(number)
        records = "".join(
            f"<PurchaseOrderRet><TxnID>{number}-{place}</TxnID></PurchaseOrderRet>" for place in range(OF_A_PART)
        )
        return (
            '<QBXML><QBXMLMsgsRs><PurchaseOrderQueryRs requestID="1" statusCode="0" statusSeverity="Info">'
            f"{records}</PurchaseOrderQueryRs></QBXMLMsgsRs></QBXML>"
        )


async def page_of(stored: Any, after: str | None) -> Listing:
    return await Reader(Client(stored), None).page(LEGS, since=None, after=after, ordered_from="2026-01-01")


def ids(listing: Listing) -> list[str | None]:
    return [one.findtext("TxnID") for one in listing.records]


async def test_a_page_holds_several_parts_and_no_record_is_lost() -> None:
    stored = StoredParts(12)
    seen: list[str | None] = []
    sizes: list[int] = []
    after: str | None = None
    while True:
        listing = await page_of(stored, after)
        sizes.append(len(listing.records))
        seen += ids(listing)
        after = listing.after
        if after is None:
            break
    assert sizes == [ENOUGH, ENOUGH, 12 * OF_A_PART - 2 * ENOUGH]
    assert seen == [f"{part}-{place}" for part in range(1, 13) for place in range(OF_A_PART)]
    assert (stored.asked, stored.read) == (1, list(range(1, 13)))


async def test_a_page_read_again_is_the_same() -> None:
    stored = StoredParts(12)
    after = (await page_of(stored, None)).after
    first, again = await page_of(stored, after), await page_of(stored, after)
    assert (ids(first), first.after) == (ids(again), again.after)


async def test_parts_that_are_gone_are_asked_for_once_more() -> None:
    stored = StoredParts(12)
    after = (await page_of(stored, None)).after
    stored.gone = True
    with pytest.raises(Deferred):
        await page_of(stored, after)
    assert stored.asked == 2


class OneBadAnswer(StoredParts):
    """The journal of an answer that failed, until it is forgotten and asked for once more."""

    bad = True

    async def page(self, name: str, number: int) -> str | None:
        if self.bad:
            return (
                '<QBXML><QBXMLMsgsRs><PurchaseOrderQueryRs requestID="1" statusCode="1010" statusSeverity="Error"'
                ' statusMessage="System not available."/></QBXMLMsgsRs></QBXML>'
            )
        return await super().page(name, number)

    async def discard_paged(self, name: str) -> None:
        assert name == "stored"
        self.bad = False


async def test_an_answer_that_failed_is_asked_for_once_more() -> None:
    """What QuickBooks could not answer now must not stay the answer of a reading that is tried for days."""
    stored = OneBadAnswer(1)
    with pytest.raises(Unavailable):
        await page_of(stored, None)
    assert len((await page_of(stored, None)).records) == OF_A_PART
