"""Searches by page, and what breaks in them (reference 3.3)."""

import pytest

from erp.errors import MalformedAnswer, Rejected
from tests.unit.erp.netsuite.service import Service, found, order, refused


async def all_ids(service: Service, **settings: object) -> list[str]:
    connector, after, ids = service.connect(**settings), None, []
    while True:
        page = await connector.orders.headers(since=None, ordered_from=None, after=after, open_in=None)
        ids += [header.erp_id for header in page.records]
        after = page.after
        if after is None:
            return ids


def orders(*ids: int, total: int | None = None, size: int = 5, index: int = 1) -> str:
    return found(*(order(str(number), f"PO-{number}") for number in ids), total=total, size=size, index=index)


async def test_pages_are_taken_by_key(service: Service) -> None:
    """Reference 3.3: a new search behind the last id, so that no row can skip a page and no search id can die."""
    service.script["search"] = [orders(1, 2, 3, 4, 5, total=7), orders(6, 9)]
    assert await all_ids(service, page_size=5) == ["1", "2", "3", "4", "5", "6", "9"]
    first, second = service.sent("search")
    assert not first.xpath("//*[local-name()='internalIdNumber']")
    assert second.xpath("//*[local-name()='internalIdNumber']/@operator") == ["greaterThan"]
    assert second.xpath("string(//*[local-name()='internalIdNumber'])") == "5"


async def test_another_order_of_rows_is_noticed(service: Service) -> None:
    """Ascending ids are kept and not promised: the numbered pages are read then, each record once."""
    shuffled = orders(7, 1, 3, 4, 2, total=7)
    service.script |= {"search": [shuffled, shuffled], "searchMoreWithId": orders(6, 5, total=7, index=2)}
    assert await all_ids(service, page_size=5) == ["1", "2", "3", "4", "5", "6", "7"]


async def test_rows_that_skip_a_numbered_page_are_noticed(service: Service) -> None:
    """Reference 3.3: the result shrank while its pages were read, so one row came on neither; it is read again."""
    shuffled, shrunk = orders(7, 1, 3, 4, 2, total=7), orders(7, 3, 4, 2, 5, total=6)
    service.script |= {
        "search": [shuffled, shuffled, shrunk],
        "searchMoreWithId": [orders(6, total=6, index=2), orders(6, total=6, index=2)],
    }
    assert await all_ids(service, page_size=5) == ["2", "3", "4", "5", "6", "7"]


async def test_a_search_that_dies_is_begun_again(service: Service) -> None:
    """Reference 3.3: a search id lives a quarter of an hour."""
    shuffled = orders(7, 1, 3, 4, 2, total=7)
    service.script |= {
        "search": [shuffled, shuffled, shuffled],
        "searchMoreWithId": [
            f"<c:searchResult>{refused('INVALID_JOB_ID')}</c:searchResult>",
            orders(6, 5, total=7, index=2),
        ],
    }
    assert len(await all_ids(service, page_size=5)) == 7


async def test_a_result_that_never_holds_still_is_an_error(service: Service) -> None:
    """Half a list must not pass for a whole one; the next attempt may find it quiet."""
    shuffled = orders(7, 1, 3, 4, 2, total=7)
    service.script |= {"search": shuffled, "searchMoreWithId": orders(6, total=6, index=2)}
    with pytest.raises(MalformedAnswer):
        await all_ids(service, page_size=5)


async def test_rows_missed_by_their_order_are_noticed(service: Service) -> None:
    """A page that looks ascending by chance: fewer are left than must be, and more lie below than were seen."""
    shuffled = orders(1, 2, 4, 5, 7, total=7)
    service.script |= {
        "search": [shuffled, found(total=0, size=5), orders(1, 2, 3, 4, 5, total=7), shuffled],
        "searchMoreWithId": orders(3, 6, total=7, index=2),
    }
    assert sorted(set(await all_ids(service, page_size=5))) == ["1", "2", "3", "4", "5", "6", "7"]


async def test_rows_that_were_deleted_meanwhile_are_not_missed(service: Service) -> None:
    """Fewer are left, and none lies below that was not seen: they are gone, and nothing is read again."""
    service.script["search"] = [orders(1, 2, 3, 4, 5, total=7), orders(7), orders(1, 2, 3, 4, 5, total=5)]
    assert await all_ids(service, page_size=5) == ["1", "2", "3", "4", "5", "7"]


async def test_a_row_shown_twice_counts_once(service: Service) -> None:
    """A page that is being changed may show a record twice."""
    service.script["search"] = orders(1, 2, 2)
    assert await all_ids(service) == ["1", "2"]


@pytest.mark.parametrize(
    "answer",
    [
        orders(1, 2, 3, total=4),
        orders(1, 2, 3, 4, total=7),
        found(order("")),
        '<c:searchResult><c:status isSuccess="true"/><c:totalRecords>many</c:totalRecords></c:searchResult>',
        "<c:searchResult/>",
        "",
    ],
)
async def test_a_page_that_is_not_whole_is_not_used(service: Service, answer: str) -> None:
    """Half an answer is no answer."""
    service.script["search"] = answer
    with pytest.raises(MalformedAnswer):
        await all_ids(service, page_size=5)


async def test_an_empty_result_is_one(service: Service) -> None:
    """Reference 3.2: no record list at all."""
    service.script["search"] = (
        '<c:searchResult><c:status isSuccess="true"/><c:totalRecords>0</c:totalRecords></c:searchResult>'
    )
    assert await all_ids(service) == []


async def test_a_refused_search_says_why(service: Service) -> None:
    """Operation errors are good HTTP answers."""
    service.script["search"] = f"<c:searchResult>{refused('INVALID_SEARCH_VALUE', 'No such value.')}</c:searchResult>"
    with pytest.raises(Rejected) as caught:
        await all_ids(service)
    assert (caught.value.code, caught.value.erp_code) == ("REQUEST_NOT_UNDERSTOOD", "INVALID_SEARCH_VALUE")
    assert "No such value." in caught.value.message


async def test_a_record_too_few_is_not_used(service: Service) -> None:
    """getList answers every record, in the order asked for."""
    service.script |= {
        "search": orders(1, 2),
        "getList": '<readResponseList><c:status isSuccess="true"/></readResponseList>',
    }
    connector = service.connect()
    page = await connector.orders.headers(since=None, ordered_from=None, after=None, open_in=None)
    with pytest.raises(MalformedAnswer):
        await connector.orders.lines(page.records)


async def test_details_go_by_the_hundred(service: Service) -> None:
    """Issue 4: ceil(changed / 100) calls."""
    ids = list(range(1, 251))
    service.script |= {
        "search": orders(*ids, size=1000),
        "getList": lambda asked: (
            '<readResponseList><c:status isSuccess="true"/>'
            + "".join(f"<readResponse>{refused('RCRD_DSNT_EXIST')}</readResponse>" for _ in asked)
            + "</readResponseList>"
        ),
    }
    connector = service.connect()
    page = await connector.orders.headers(since=None, ordered_from=None, after=None, open_in=None)
    await connector.orders.lines(page.records)
    assert [len(asked) for asked in service.sent("getList")] == [100, 100, 50]
