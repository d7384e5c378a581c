"""Checking a connection and its preferences (S2-04, S2-51, S4-70; reference 5.2, 6.3)."""

import pytest

from erp.errors import AuthenticationFailed
from tests.unit.erp.netsuite.service import (
    CURRENCIES,
    Service,
    bill,
    bill_item,
    deleted,
    fault,
    found,
    got,
    initialized,
    order,
    order_item,
    record,
    ref,
    refused,
)

SUBSIDIARIES = found(record("Subsidiary", "1", {"name": "Parent"}, prefix="a"))
LIMIT = (
    '<c:getIntegrationGovernanceInfoResult><c:status isSuccess="true"/>'
    "<c:integrationConcurrencyLimit>5</c:integrationConcurrencyLimit></c:getIntegrationGovernanceInfoResult>"
)
NO_DRAFT = f"<readResponse>{refused('INVALID_INITIALIZE_REF')}</readResponse>"


async def test_a_check_names_account_and_subsidiary(service: Service) -> None:
    """S2-04."""
    service.script["search"] = [SUBSIDIARIES, found()]
    connector = service.connect(credentials={"entity": "1"})
    checked = await connector.check()
    assert (checked.company, checked.entity, checked.user) == ("TSTDRV1", "1", "tk-1")
    assert checked.capabilities == connector.capabilities
    assert checked.capabilities.bill_in_advance is None, "no order can tell"


async def test_the_books_are_kept_in_the_subsidiarys_currency(service: Service) -> None:
    """S1-16, S2-73, reference 4: with OneWorld each subsidiary has its own."""
    service.script["getAll"] = CURRENCIES.replace(
        "</c:recordList>",
        '<c:record internalId="3" xsi:type="a:Currency"><a:name>Canadian Dollar</a:name><a:symbol>CAD</a:symbol>'
        "</c:record></c:recordList>",
    ).replace("<c:totalRecords>1<", "<c:totalRecords>2<")
    service.script["search"] = [
        found(record("Subsidiary", "1", {"name": "Parent", "currency": ref("3", "CAD")}, prefix="a")),
        found(),
    ]
    assert (await service.connect(credentials={"entity": "1"}).check()).base_currency == "CAD"
    service.script["search"] = [found()]
    assert (await service.connect().check()).base_currency == "USD", "the account's own"


async def test_a_role_that_may_not_read_currencies_leaves_the_question_open(service: Service) -> None:
    """S1-16: a person is asked then."""
    service.script["getAll"] = fault("InsufficientPermissionFault", "INSUFFICIENT_PERMISSION", "Permission Violation")
    service.script["search"] = [found()]
    assert (await service.connect().check()).base_currency is None


async def test_an_unknown_subsidiary(service: Service) -> None:
    """S2-51."""
    service.script["search"] = SUBSIDIARIES
    with pytest.raises(AuthenticationFailed) as caught:
        await service.connect(credentials={"entity": "9"}).check()
    assert caught.value.code == "AUTH_ENTITY_NOT_ALLOWED"


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        (initialized(bill("", lines=[bill_item(order_line=1), bill_item(order_line=4)])), True),
        # Only the service on the order: what must be received first is not billable.
        (initialized(bill("", lines=[bill_item(order_line=4)])), False),
        (NO_DRAFT, False),
        (f"<readResponse>{refused('RCRD_DSNT_EXIST')}</readResponse>", None),
    ],
)
async def test_bill_in_advance_is_asked_of_netsuite(service: Service, draft: str, expected: bool | None) -> None:
    """S4-70: the preference cannot be read, but a draft of a bill shows what may be billed, and stores nothing."""
    waiting = order(lines=[order_item(1), order_item(4), order_item(7, isClosed="true")])
    service.script |= {"search": found(order()), "getList": got(waiting), "initialize": draft}
    assert (await service.connect().check()).capabilities.bill_in_advance is expected


@pytest.mark.parametrize(("said", "expected"), [("true", True), ("no", False)])
async def test_what_a_person_says_of_it_counts(service: Service, said: str, expected: bool) -> None:
    """The preference wins, and nothing is asked."""
    checked = await service.connect(preferences={"bill_in_advance": said}).check()
    assert checked.capabilities.bill_in_advance is expected
    assert [name for name in service.operations() if name != "getAll"] == ["getServerTime"]


async def problems(service: Service, values: dict[str, str], **settings: object) -> list[tuple[str, str]]:
    service.script.setdefault("search", found())
    service.script.setdefault("getDeleted", deleted())
    service.script.setdefault("getIntegrationGovernanceInfo", LIMIT)
    return [
        (problem.code, problem.preference) for problem in await service.connect(**settings).check_preferences(values)
    ]


async def test_good_preferences_have_no_problem(service: Service) -> None:
    """None is mandatory."""
    assert await problems(service, {"bill_in_advance": "on"}) == []


async def test_misspelt_names_words_and_accounts(service: Service) -> None:
    """Each would silently do nothing, or fail the first payment."""
    values = {"bank_acount": "1", "bill_in_advance": "maybe", "bank_account": "1", "charge_account.freight": "2"}
    assert await problems(service, values) == [
        ("PREFERENCE_UNKNOWN", "bank_acount"),
        ("PREFERENCE_UNKNOWN", "bill_in_advance"),
        ("ACCOUNT_REFUSED", "bank_account"),
        ("ACCOUNT_REFUSED", "charge_account.freight"),
    ]


async def test_missing_rights_are_named(service: Service) -> None:
    """The role, and what it lacks."""
    denied = fault("insufficientPermissionFault", "INSUFFICIENT_PERMISSION", "You need the permission.")
    service.script["search"] = lambda search: denied if "_itemReceipt" in "".join(search.itertext()) else found()
    service.script["getDeleted"] = denied
    connector = service.connect()
    service.script["getIntegrationGovernanceInfo"] = LIMIT
    (problem,) = await connector.check_preferences({})
    assert (problem.code, problem.preference) == ("PERMISSION_DENIED", "role")
    assert "itemReceipt, deleted records" in problem.message


async def test_more_calls_at_once_than_allowed(service: Service) -> None:
    """Reference 6.3; a role that may not ask is told nothing."""
    assert await problems(service, {}, max_in_flight=6) == [("TOO_MANY_IN_FLIGHT", "max_in_flight")]
    service.script["getIntegrationGovernanceInfo"] = fault(
        "insufficientPermissionFault", "INSUFFICIENT_PERMISSION", "You need the permission."
    )
    assert await problems(service, {}, max_in_flight=6) == []


async def test_a_vendor_reference_is_enough_for_a_name(service: Service) -> None:
    """References carry names; without one the id stands for it."""
    service.script["search"] = found(order(entity=ref("5")))
    connector = service.connect()
    page = await connector.orders.headers(since=None, ordered_from=None, after=None, open_in=None)
    assert [header.vendor_name for header in page.records] == ["5"]
