"""The sync preferences are proved before they fail a sync (S4-62; reference 2.8)."""

import pytest

from erp.errors import Rejected
from erp.intacct.preflight import READ_OBJECTS
from tests.builders.outgoing_bills import (
    a_bill,
)
from tests.fakes.intacct_gateway import (
    PREFERENCES,
    Gateway,
    failed,
    financial_setup,
    page,
    response,
    result,
)

DEFINITIONS = [
    {"RECORDNO": "1", "DOCID": "Purchase Order", "CATEGORY": "Order", "UPDATES_GL": "N"},
    {"RECORDNO": "2", "DOCID": "PO Receiver", "CATEGORY": "Shipping", "UPDATES_GL": "N"},
    {"RECORDNO": "3", "DOCID": "Vendor Invoice", "CATEGORY": "Invoice", "UPDATES_GL": "A", "EDITTYPE": "All",
     "DELTYPE": "H"},
    {"RECORDNO": "4", "DOCID": "Memo Invoice", "CATEGORY": "Invoice", "UPDATES_GL": "N"},
    {"RECORDNO": "5", "DOCID": "Strict Invoice", "CATEGORY": "Invoice", "UPDATES_GL": "AP", "EDITTYPE": "Never",
     "DELTYPE": "P"},
    {"RECORDNO": "6", "DOCID": "Old Order", "CATEGORY": "Order", "UPDATES_GL": "N", "STATUS": "inactive"},
]  # fmt: skip


def _read(*sources: str) -> str:
    recalls = "".join(f"<recall><RECDOCPAR>{name}</RECDOCPAR></recall>" for name in sources)
    inner = f"<PODOCUMENTPARAMS><RECORDNO>3</RECORDNO><RECALLS>{recalls}</RECALLS></PODOCUMENTPARAMS>"
    return response(result(f'<data listtype="PODOCUMENTPARAMS" count="1">{inner}</data>', "read"))


def _user(date_format: str = "/mdY", offset: str = "+00:00", frequency: str = "Daily") -> str:
    inner = f"<dateformat>{date_format}</dateformat><gmtoffset>{offset}</gmtoffset><clock>24</clock>"
    setting = (
        "<companypref><application>AP</application><preference>SUMMARYFREQUENCY</preference>"
        f"<prefvalue>{frequency}</prefvalue></companypref>"
    )
    return response(
        result(f"<data><userformatting>{inner}</userformatting></data>", "readUserFormatting"),
        result(f"<data>{setting}</data>", "get_companyprefs"),
    )


DENIED = failed("PL04000005", "no permission")


async def _problems(read: str | None = None, user: str | None = None, **changed: str) -> list[tuple[str, str, str]]:
    gateway = Gateway(
        response(page("PODOCUMENTPARAMS", *DEFINITIONS)),
        user or _user(),
        response(*([page("X")] * len(READ_OBJECTS))),
        read or _read("Purchase Order", "PO Receiver"),
    )
    found = await gateway.connector().check_preferences({**PREFERENCES, **changed})
    assert all(problem.message and problem.fix for problem in found)
    return [(problem.code, problem.preference, " ".join((problem.message, *problem.fix))) for problem in found]


async def test_good_preferences_have_no_problem() -> None:
    """S4-62: both templates named as Intacct spells them."""
    assert await _problems() == []


async def test_both_templates_are_required() -> None:
    """S4-62; the definitions that would do are named."""
    found = await _problems(po_template="", vendor_invoice_template="")
    assert [(code, name) for code, name, _ in found] == [
        ("PREFERENCE_MISSING", "po_template"),
        ("PREFERENCE_MISSING", "vendor_invoice_template"),
    ]
    assert "Vendor Invoice" in found[1][2]


async def test_a_misspelt_kind_of_charge_is_named() -> None:
    """It would silently refuse every bill with that money on it."""
    changed = {"subtotal.frieght": "Freight", "subtotal.tax": "Sales tax"}
    ((code, name, said),) = await _problems(**changed)
    assert (code, name) == ("PREFERENCE_UNKNOWN", "subtotal.frieght")
    assert "subtotal.freight" in said


@pytest.mark.parametrize("values", ["purchase order", "Purchase  Order", "PURCHASE ORDER "])
async def test_the_right_spelling_is_proposed(values: str) -> None:
    """S4-62: names are case-sensitive."""
    ((code, name, said),) = await _problems(po_template=values)
    assert (code, name) == ("TEMPLATE_WRONG_CASE", "po_template")
    assert '"Purchase Order"' in said


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"po_template": "Purchase Requisition"}, "TEMPLATE_UNKNOWN"),
        ({"po_template": "PO Receiver"}, "TEMPLATE_WRONG_KIND"),
        ({"po_template": "Old Order"}, "TEMPLATE_INACTIVE"),
        ({"receiver_template": "Purchase Order"}, "TEMPLATE_WRONG_KIND"),
        ({"vendor_invoice_template": "Memo Invoice"}, "TEMPLATE_DOES_NOT_POST_TO_AP"),
    ],
)
async def test_definitions_are_judged_by_what_they_do(changed: dict[str, str], code: str) -> None:
    """Reference 2.8: never by name, by category and posting."""
    assert [found[0] for found in await _problems(**changed) if found[0] != "TEMPLATE_CANNOT_CONVERT"] == [code]


async def test_policies_that_would_refuse_later_changes() -> None:
    """Reference 7.2: edit and delete policy All."""
    found = await _problems(vendor_invoice_template="Strict Invoice")
    assert [code for code, _, _ in found] == ["TEMPLATE_POLICY_TOO_STRICT"] * 2


async def test_an_invoice_that_cannot_be_converted_from_the_order() -> None:
    """Reference 3.3: the target lists its sources; a list that is not shown says nothing."""
    assert [code for code, _, _ in await _problems(_read("Other Order"))] == ["TEMPLATE_CANNOT_CONVERT"]
    assert await _problems(_read()) == []


@pytest.mark.parametrize(
    ("user", "codes"),
    [
        (_user(), []),
        (_user(offset="GMT"), []),
        (_user("/dmY"), ["USER_DATE_FORMAT"]),
        (_user(offset="-08:00"), ["USER_TIME_ZONE"]),
        (_user(frequency="User-specified"), ["SUMMARY_FREQUENCY"]),
        (_user(frequency="Monthly"), []),
        (response(DENIED, DENIED), []),
    ],
)
async def test_settings_that_would_break_a_sync(user: str, codes: list[str]) -> None:
    """Reference 2.4: US date format and GMT; S2-39: summaries; where the user may not read it, nothing is claimed."""
    assert [code for code, _, _ in await _problems(user=user)] == codes


async def test_what_the_user_may_not_read_is_named() -> None:
    """S2-21: found before a sync stands still for it. An object the company does not have is no problem."""
    probes = [
        DENIED if name in ("APBILL", "APPYMT") else failed("Query Failed") if name == "CLASS" else page(name)
        for name in READ_OBJECTS
    ]
    gateway = Gateway(response(page("PODOCUMENTPARAMS", *DEFINITIONS)), _user(), response(*probes), _read())
    (problem,) = await gateway.connector().check_preferences(PREFERENCES)
    assert problem.code == "PERMISSION_DENIED"
    assert "APBILL, APPYMT" in problem.message


async def test_the_audit_trail_is_not_among_what_a_sync_needs() -> None:
    """S2-21: without it deletions are found by a scan, so nothing stands still for it."""
    assert "AUDITHISTORY" not in READ_OBJECTS


async def test_another_way_to_find_deletions_is_none() -> None:
    """A misspelt word would silently leave the audit trail to be read."""
    (found,) = await _problems(deletes="sweeping")
    assert found[:2] == ("PREFERENCE_UNKNOWN", "deletes")
    assert await _problems(deletes="sweep") == []


async def test_without_the_template_nothing_is_sent() -> None:
    """S2-55: transactions wait for the preferences."""
    gateway = Gateway()
    with pytest.raises(Rejected) as caught:
        await gateway.connector(preferences={"po_template": "Purchase Order"}).bills.create(a_bill())
    assert caught.value.code == "PREFERENCE_MISSING"
    assert not gateway.calls


@pytest.mark.parametrize(
    ("setup", "entities", "currency"),
    [
        pytest.param(financial_setup("CAD"), page("LOCATIONENTITY"), "CAD", id="the company's"),
        pytest.param(
            financial_setup("", several=True),
            page("LOCATIONENTITY", {"LOCATIONID": "100", "CURRENCY": "GBP"}),
            "GBP",
            id="the entity's own",
        ),
        pytest.param(financial_setup("", several=True), page("LOCATIONENTITY"), None, id="an entity that does not say"),
        pytest.param(DENIED, DENIED, None, id="not readable"),
    ],
)
async def test_the_currency_of_the_books_is_asked_for(setup: str, entities: str, currency: str | None) -> None:
    """S1-16, S2-73, reference 7.2: it was US dollars whatever the company said."""
    gateway = Gateway(response(page("AUDITHISTORY")), setup=response(setup, entities))
    assert (await gateway.connector().check()).base_currency == currency
