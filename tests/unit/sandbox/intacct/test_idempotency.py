"""Control ids and transactions (reference 5, checklist 9, 10)."""

from tests.unit.sandbox.wire import Wire, control, invoice, login

UNIQUE = control(unique="<uniqueid>true</uniqueid>")
APPS = "<get_applications/>"


async def test_a_control_id_succeeds_once(wire: Wire) -> None:
    order = await wire.order()
    first = await wire.ask(invoice(order, {1: "1"}, number="A"), ids={0: "po:1:create:1"}, head=UNIQUE)
    assert first.status == "success"
    again = await wire.ask(invoice(order, {1: "1"}, number="B"), ids={0: "po:1:create:1"}, head=UNIQUE)
    assert again.status == "failure"
    assert "A successful transaction has already been recorded with the control id po:1:create:1" in again.reasons
    assert again.result.find("data") is None
    assert len(await wire.held("vendor_invoices")) == 1


async def test_the_answer_may_lack_a_status_and_have_another_number(wire: Wire) -> None:
    await wire.switch(duplicate_controlid_status=False, duplicate_controlid_errorno="XX1")
    for _ in range(2):
        reply = await wire.ask(APPS, ids={0: "same"}, head=UNIQUE)
    assert reply.result.find("status") is None
    assert reply.errors == ["XX1"]


async def test_a_failed_control_id_may_be_repeated(wire: Wire) -> None:
    order = await wire.order()
    assert (await wire.ask(invoice(order, {1: "11"}), ids={0: "k"}, head=UNIQUE)).status == "failure"
    assert (await wire.ask(invoice(order, {1: "10"}), ids={0: "k"}, head=UNIQUE)).status == "success"


async def test_without_uniqueid_nothing_is_remembered_or_refused(wire: Wire) -> None:
    for _ in range(2):
        assert (await wire.ask(APPS, ids={0: "same"})).status == "success"
    assert (await wire.ask(APPS, ids={0: "same"}, head=UNIQUE)).status == "success"
    assert (await wire.ask(APPS, ids={0: "same"})).status == "success"


async def test_uniqueid_absent_refuses_the_second_time(wire: Wire) -> None:
    head = control(unique="")
    assert (await wire.ask(APPS, ids={0: "same"}, head=head)).status == "success"
    assert (await wire.ask(APPS, ids={0: "same"}, head=head)).status == "failure"


async def test_ids_are_remembered_in_one_request_too(wire: Wire) -> None:
    reply = await wire.ask(APPS, APPS, ids={0: "same", 1: "same"}, head=UNIQUE)
    assert [result.findtext("status") for result in reply.results] == ["success", "failure"]


async def test_a_transaction_is_whole_or_nothing(wire: Wire) -> None:
    order = await wire.order()
    before = {kind: await wire.held(kind) for kind in ("purchase_orders", "bills", "audit", "vendors")}
    good, bad = invoice(order, {1: "4"}, number="A"), invoice(order, {1: "40"}, number="B")
    vendor = "<create><VENDOR><VENDORID>V-9</VENDORID><NAME>Nine</NAME></VENDOR></create>"
    reply = await wire.ask(good, vendor, bad, APPS, transaction=True, ids={0: "k"}, head=UNIQUE)
    assert [result.findtext("status") for result in reply.results] == ["aborted"] * 4
    failing = [error.text for error in reply.results[2].iter("errorno")]
    assert failing == ["BL03000018", "BL01001973", "XL03000009"]
    assert {kind: await wire.held(kind) for kind in before} == before
    assert await wire.held("vendor_invoices") == []
    # Rolled back means never executed: its control id is free again.
    assert (await wire.ask(good, transaction=True, ids={0: "k"}, head=UNIQUE)).status == "success"


async def test_without_transaction_what_went_before_stays(wire: Wire) -> None:
    order = await wire.order()
    reply = await wire.ask(invoice(order, {1: "4"}, number="A"), invoice(order, {1: "40"}, number="B"))
    assert [result.findtext("status") for result in reply.results] == ["success", "failure"]
    assert [created["number"] for created in await wire.held("vendor_invoices")] == ["A"]


async def test_a_create_of_several_objects_keeps_those_before_the_failing_one(wire: Wire) -> None:
    vendors = "".join(f"<VENDOR><VENDORID>{key}</VENDORID><NAME>n</NAME></VENDOR>" for key in ("A", "B", "A", "C"))
    reply = await wire.ask(f"<create>{vendors}</create>", auth=login(""))
    assert reply.status == "failure"
    assert reply.data.get("count") == "2"
    assert [vendor["vendorid"] for vendor in await wire.held("vendors")] == ["A", "B"]


async def test_a_refused_edit_leaves_no_trace(wire: Wire) -> None:
    order = await wire.order()
    created = await wire.ask(invoice(order, {1: "4"}))
    before = {kind: await wire.held(kind) for kind in ("purchase_orders", "vendor_invoices", "bills", "audit")}
    lines = (
        '<updatepotransitems><updatepotransitem line_num="1"><quantity>5</quantity></updatepotransitem>'
        "<potransitem><itemid>NONE</itemid><quantity>1</quantity></potransitem></updatepotransitems>"
    )
    reply = await wire.ask(
        f'<update_potransaction key="{created.key}"><message>x</message>{lines}</update_potransaction>'
    )
    assert reply.status == "failure"
    assert {kind: await wire.held(kind) for kind in before} == before
