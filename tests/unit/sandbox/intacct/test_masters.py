"""Masters, preflight reads and the audit trail (reference 3.8, 4, 7.2, checklist 13)."""

import pytest

from tests.unit.sandbox.wire import Wire, invoice, is_, login, query

TOP = login("")


def vendor(key: str, inner: str = "<NAME>Some Vendor</NAME>", verb: str = "create") -> str:
    return f"<{verb}><VENDOR><VENDORID>{key}</VENDORID>{inner}</VENDOR></{verb}>"


async def audit(wire: Wire, filter_: str = "") -> list[tuple[str, str, str]]:
    function = query("AUDITHISTORY", "OBJECTTYPE OBJECTKEY ACCESSMODE ACCESSTIME USERID SOURCE", filter_)
    rows = (await wire.ask(function, auth=TOP)).rows
    return [(row["OBJECTTYPE"], row["OBJECTKEY"], row["ACCESSMODE"]) for row in rows]


async def test_create_answers_both_keys(wire: Wire) -> None:
    reply = await wire.ask(vendor("V-1"), auth=TOP)
    assert reply.data[0].tag == "vendor"
    assert reply.rows == [{"RECORDNO": "1", "VENDORID": "V-1"}]


async def test_nested_fields_are_kept_and_read_back_nested(wire: Wire) -> None:
    contact = "<DISPLAYCONTACT><PRINTAS>P</PRINTAS><MAILADDRESS><CITY>Austin</CITY></MAILADDRESS></DISPLAYCONTACT>"
    await wire.ask(vendor("V-1", f"<NAME>n</NAME>{contact}"), auth=TOP)
    field = "DISPLAYCONTACT.MAILADDRESS.CITY"
    assert (await wire.ask(query("VENDOR", field), auth=TOP)).rows == [{field: "Austin"}]
    read = await wire.ask("<read><object>VENDOR</object><keys>1</keys><fields>*</fields></read>", auth=TOP)
    assert read.data.findtext("VENDOR/DISPLAYCONTACT/MAILADDRESS/CITY") == "Austin"


@pytest.mark.parametrize(
    ("function", "errorno"),
    [
        (vendor("V-1"), "BL34000061"),
        (vendor("V-2", ""), "BL03000018"),
        (vendor("V-2", "<NAME>n</NAME><STATUS>asleep</STATUS>"), "BL03000018"),
        ("<create><PODOCUMENTPARAMS><DOCID>x</DOCID></PODOCUMENTPARAMS></create>", "BL03000018"),
        (vendor("V-3", "<NAME>n</NAME>", "update"), "BL03000018"),
    ],
)
async def test_bad_masters_are_refused(wire: Wire, function: str, errorno: str) -> None:
    await wire.ask(vendor("V-1"), auth=TOP)
    assert (await wire.ask(function, auth=TOP)).errors == [errorno, "BL01001973"]


async def test_an_update_clears_empty_elements_and_leaves_absent_ones(wire: Wire) -> None:
    await wire.ask(vendor("V-1", "<NAME>n</NAME><TAXID>1</TAXID><COMMENTS>c</COMMENTS>"), auth=TOP)
    await wire.ask(vendor("V-1", "<TAXID/><STATUS>inactive</STATUS>", "update"), auth=TOP)
    reply = await wire.ask(query("VENDOR", "NAME TAXID COMMENTS STATUS"), auth=TOP)
    assert reply.rows == [{"NAME": "n", "TAXID": "", "COMMENTS": "c", "STATUS": "inactive"}]


async def test_an_inactive_vendor_cannot_be_used(wire: Wire) -> None:
    order = await wire.order()
    await wire.act("edit_vendor", vendor_id="V-1", status="inactive")
    assert "is inactive" in (await wire.ask(invoice(order, {1: "1"}))).reasons


async def test_a_used_master_stays(wire: Wire) -> None:
    await wire.order()
    await wire.ask(vendor("V-2"), auth=TOP)
    assert "is used" in (await wire.ask("<delete><object>VENDOR</object><keys>1</keys></delete>", auth=TOP)).reasons
    assert (await wire.ask("<delete><object>VENDOR</object><keys>2</keys></delete>", auth=TOP)).status == "success"


async def test_every_change_leaves_an_audit_row(wire: Wire) -> None:
    await wire.ask(vendor("V-1"), auth=TOP)
    await wire.ask(vendor("V-1", "<TAXID>9</TAXID>", "update"), auth=TOP)
    await wire.ask("<delete><object>VENDOR</object><keys>1</keys></delete>", auth=TOP)
    assert await audit(wire, is_("OBJECTTYPE", "vendor")) == [
        ("vendor", "1", "C"),
        ("vendor", "1", "M"),
        ("vendor", "1", "D"),
    ]
    deletes = f"<and>{is_('ACCESSMODE', 'D')}{is_('ACCESSTIME', '01/01/2020 00:00:00', 'greaterthanorequalto')}</and>"
    assert await audit(wire, deletes) == [("vendor", "1", "D")]


@pytest.mark.parametrize(("spelling", "key"), [("recordno", "2"), ("rec", "2--REC"), ("name", "Vendor Invoice-KEY-1")])
async def test_the_spelling_of_object_keys_is_a_switch(wire: Wire, spelling: str, key: str) -> None:
    order = await wire.order()
    await wire.switch(audit_objectkey=spelling)
    created = await wire.ask(invoice(order, {1: "1"}))
    await wire.ask(f'<delete_potransaction key="{created.key}"/>')
    deleted = await audit(wire, is_("ACCESSMODE", "D"))
    assert ("podocument", key, "D") in deleted
    assert "apbill" in {object_type for object_type, _, _ in deleted}


async def test_documents_may_be_absent_from_the_audit_trail(wire: Wire) -> None:
    await wire.switch(audit_documents=False)
    await wire.order()
    await wire.act("delete", kind="purchase_order", number="PO-1")
    assert await audit(wire, is_("OBJECTTYPE", "podocument")) == []


async def test_audit_modes_are_words_in_readbyquery(wire: Wire) -> None:
    await wire.ask(vendor("V-1"), auth=TOP)
    function = (
        "<readByQuery><object>AUDITHISTORY</object><fields>OBJECTKEY</fields>"
        "<query>OBJECTTYPE = 'vendor' and ACCESSMODE = 'Create'</query></readByQuery>"
    )
    assert (await wire.ask(function, auth=TOP)).rows == [{"OBJECTKEY": "1"}]


async def test_preflight_reads(wire: Wire) -> None:
    reply = await wire.ask(
        "<getFinancialSetup/>",
        "<readEntityDetails/>",
        "<readUserFormatting><userId>xml_gateway</userId></readUserFormatting>",
        "<get_applications/>",
        "<getUserPermissions><userId>xml_gateway</userId></getUserPermissions>",
        auth=TOP,
    )
    setup, entities, formatting, applications, permissions = reply.results
    assert setup.findtext("data/financialSetup/baseCurrency") == "USD"
    assert setup.findtext("data/financialSetup/multiEntityShared") == "true"
    assert [entity.findtext("id") for entity in entities.iter("entity")] == ["100", "200"]
    assert formatting.findtext("data/userformatting/dateformat") == "/mdY"
    assert {"AP", "PO"} <= {code.text for code in applications.iter("application")}
    assert permissions.find("data/permissions/appSubscription") is not None


async def test_stamps_can_be_in_the_company_s_time_zone(wire: Wire) -> None:
    await wire.room("/clock", {"now": "2026-11-20T03:00:00Z", "frozen": True})
    await wire.switch(utc_offset_minutes=-300)
    await wire.ask(vendor("V-1"), auth=TOP)
    assert (await wire.ask(query("VENDOR", "WHENCREATED"), auth=TOP)).rows == [{"WHENCREATED": "11/19/2026 22:00:00"}]
    formatting = await wire.ask("<readUserFormatting/>")
    assert formatting.data.findtext("userformatting/gmtoffset") == "-05:00"
