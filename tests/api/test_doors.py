"""What must not come in does not, and who sent it is told where and why (rows H of the list of faults)."""

import asyncio
import json
import secrets
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from models.domain.ids import ConnectionId, ErpId
from models.domain.lists import ListEntry, ListKind
from models.store.base.database import Database
from models.store.sync import list_entries
from tests.harness.api_client import (
    TOMORROW,
    ApiClient,
    a_problem,
    an_order,
    billed,
    connected,
    mirrored,
    new_connection,
)

CONTROL = ["\u0001", "\u000b", "\u001b", "\u007f", "\u0085", "\u2028", "\uffff"]


def a_bill(**changes: Any) -> dict[str, Any]:
    body = {"number": "INV-1", "bill_date": "2026-11-20", "lines": [{"order_line_no": 1, "quantity": "1"}]}
    return {**body, **changes}


def refused_fields(response: httpx.Response) -> set[str]:
    problem = a_problem(response, 422, "VALIDATION_FAILED")
    return {error["where"] for error in problem["errors"]}


async def an_open_order(api: ApiClient, database: Database) -> str:
    return await mirrored(database, await connected(api), an_order(f"PO-{secrets.token_hex(3)}"))


async def raw(api: ApiClient, method: str, path: str, body: bytes, **headers: str) -> httpx.Response:
    arguments = {"Content-Type": "application/json", "Idempotency-Key": secrets.token_hex(8), "If-Match": "*"}
    all_headers = {**api.organization.auth(), **arguments, **{name.replace("_", "-"): v for name, v in headers.items()}}
    return await api.http.request(method, path, content=body, headers=all_headers)


async def test_an_entity_is_given_as_the_erp_names_it(api: ApiClient) -> None:
    """H2: entity 100 and SOH made a second connection to entity 100; SOH alone signed in at the top level."""
    for entity in ["100\u0001", "\u0001", " 100", "100 ", "100\n", "\u00a0100", "", " "]:
        assert refused_fields(await api.post("/v1/connections", new_connection(entity=entity))) == {"body.entity"}
        credentials = {**new_connection()["credentials"], "entity": entity}
        if entity:  # an empty credential is no credential
            asked = await api.post("/v1/connections", new_connection(entity=None, credentials=credentials))
            assert refused_fields(asked) == {"body.credentials.entity"}


async def test_control_characters_are_refused_by_field(api: ApiClient, database: Database) -> None:
    """H3: they were taken, then came to nothing (Intacct) or were changed without a word (NetSuite)."""
    order_id = await an_open_order(api, database)
    bill_id = await billed(api, order_id)
    for character in CONTROL:
        odd = f"a{character}b"
        line = {"order_line_no": 1, "quantity": "1", "description": odd, "department": odd}
        asked = await api.post(f"/v1/purchase-orders/{order_id}/bills", a_bill(number=odd, memo=odd, lines=[line]))
        wrong = {"body.number", "body.memo", "body.lines.0.description", "body.lines.0.department"}
        assert refused_fields(asked) == wrong
        assert refused_fields(await api.patch(f"/v1/bills/{bill_id}", {"memo": odd})) == {"body.memo"}
        paid = {"amount": "1.00", "pay_on": TOMORROW, "bank_account": odd}
        assert refused_fields(await api.post(f"/v1/bills/{bill_id}/payments", paid)) == {"body.bank_account"}


@pytest.mark.parametrize("character", ["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u202e", "\u2066"])
async def test_what_is_compared_by_eye_holds_nothing_invisible(
    api: ApiClient, database: Database, character: str
) -> None:
    """H3: A-1 and A-1 with a space of no width were two bills; a number that is turned around reads as another."""
    order_id = await an_open_order(api, database)
    odd = f"A{character}B-1"
    line = {"order_line_no": 1, "quantity": "1", "department": odd}
    asked = await api.post(f"/v1/purchase-orders/{order_id}/bills", a_bill(number=odd, lines=[line]))
    assert refused_fields(asked) == {"body.number", "body.lines.0.department"}
    assert f"invisible character U+{ord(character):04X}" in asked.json()["errors"][0]["message"]
    asked = await api.post("/v1/connections", new_connection(entity=odd))
    assert refused_fields(asked) == {"body.entity"}


async def test_a_text_joins_characters_and_is_not_turned_around(api: ApiClient, database: Database) -> None:
    """H3: emoji and Indic scripts need the joiners; nothing needs an override of the direction."""
    order_id = await an_open_order(api, database)
    for number, joined in enumerate(
        ["\U0001f468\u200d\U0001f527 fitted it", "\u0915\u094d\u200d\u0937", "\u200f\u05d0"]
    ):
        asked = await api.post(f"/v1/purchase-orders/{order_id}/bills", a_bill(number=f"J-{number}", memo=joined))
        bill = (await api.get(f"/v1/bills/{asked.json()['bill']['id']}")).json()
        assert bill["memo"] == joined
    for character in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069":
        asked = await api.post(f"/v1/purchase-orders/{order_id}/bills", a_bill(memo=f"a{character}b"))
        assert refused_fields(asked) == {"body.memo"}


async def test_surrounding_spaces_are_removed_and_the_document_says_so(api: ApiClient, database: Database) -> None:
    """H3: A came back for " A " without a word; inner spaces stay."""
    order_id = await an_open_order(api, database)
    asked = await api.post(f"/v1/purchase-orders/{order_id}/bills", a_bill(number=" A  1 ", memo=" two  spaces  "))
    bill = (await api.get(f"/v1/bills/{asked.json()['bill']['id']}")).json()
    assert (bill["number"], bill["memo"]) == ("A  1", "two  spaces")
    document = (await api.http.get("/openapi.json")).json()
    assert "x-trimmed" not in json.dumps(document)
    fields = document["components"]["schemas"]["NewBill"]["properties"]
    for field in ("number", "memo"):
        assert "Surrounding spaces are removed." in fields[field]["description"]


async def test_a_number_is_one_line(api: ApiClient, database: Database) -> None:
    """H3"""
    order_id = await an_open_order(api, database)
    for number in ["INV\t1", "INV\n1", "INV\r1", "INV-1\n"]:
        asked = await api.post(f"/v1/purchase-orders/{order_id}/bills", a_bill(number=number))
        assert refused_fields(asked) == {"body.number"}


async def test_tab_and_line_end_in_a_memo_have_one_form(api: ApiClient, database: Database) -> None:
    """H3: the carriage return is XML's to drop, so it is taken off before anything is saved."""
    order_id = await an_open_order(api, database)
    asked = await api.post(f"/v1/purchase-orders/{order_id}/bills", a_bill(memo=" one\r\ntwo\rthree\tfour\n "))
    bill = (await api.get(f"/v1/bills/{asked.json()['bill']['id']}")).json()
    assert bill["memo"] == "one\ntwo\nthree\tfour"


async def test_no_text_of_any_body_takes_a_control_character(api: ApiClient) -> None:
    """H3: the document itself says so, for every text field there is."""
    document = (await api.http.get("/openapi.json")).json()
    shapes = document["components"]["schemas"]
    taking: set[str] = set()
    for operations in document["paths"].values():
        for operation in operations.values():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            taking |= _shapes(body, shapes)
    assert len(taking) > 20
    for name in taking:
        for field, schema in shapes[name].get("properties", {}).items():
            for text_schema in _texts(schema):
                assert {"pattern", "enum", "const"} & set(text_schema), (name, field)


def _shapes(schema: Any, shapes: dict[str, Any]) -> set[str]:
    """The names of all shapes a schema is made of."""
    if isinstance(schema, list):
        return set().union(*(_shapes(part, shapes) for part in schema))
    if not isinstance(schema, dict):
        return set()
    found = set().union(*(_shapes(part, shapes) for key, part in schema.items() if key not in ("examples", "default")))
    if isinstance(reference := schema.get("$ref"), str):
        name = reference.rpartition("/")[2]
        found |= {name} | _shapes(shapes[name], shapes)
    return found


def _texts(schema: dict[str, Any]) -> list[dict[str, Any]]:
    parts = [schema, *schema.get("anyOf", [])]
    parts += [schema[key] for key in ("items", "additionalProperties") if isinstance(schema.get(key), dict)]
    parts += [part for entry in schema.get("anyOf", []) for part in _texts(entry)]
    return [part for part in parts if part.get("type") == "string"]


async def test_the_calendar_has_ends(api: ApiClient) -> None:
    """H7: an instant whose UTC lies beyond the calendar was a 500."""
    for since in ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "\u0662026-11-20T00:00:00Z", "2026-11-20"]:
        assert refused_fields(await api.get("/v1/purchase-orders", changed_since=since)) == {"query.changed_since"}


ODD_HOSTS = (
    "api.intacct.com\uff0fevil",
    "[",
    "[::1",
    "xn--\u00e9",
    "xn--a",
    "a\u200bb.intacct.com",
    "user:pw@host",
    "host:99999",
    "-a.com",
    "a..b",
    "\u0661.com",
    "host?q=\u00e9",
    "",
)


async def test_a_host_is_plain(api: ApiClient) -> None:
    """H7: such addresses were a 500, or read in two ways."""
    for host in ODD_HOSTS:
        asked = await api.post("/v1/connections", new_connection(endpoint=f"https://{host}/x"))
        assert refused_fields(asked) == {"body.endpoint"}


async def test_an_account_is_plain(api: ApiClient) -> None:
    """H7: NetSuite's account is part of its host."""
    for account in ("1234567\uff0fevil", "[", "xn--\u00e9", "a\u200bb", "evil.com/", "a.b", "xn--a", "xn__a"):
        names = ("consumer_key", "consumer_secret", "token_id", "token_secret")
        credentials = {"account": account, **dict.fromkeys(names, "x")}
        body = new_connection(erp="netsuite", credentials=credentials, entity="1", endpoint=None)
        a_problem(await api.post("/v1/connections", body), 422, "AUTH_BAD_CREDENTIALS")


async def test_an_object_is_an_object(api: ApiClient, database: Database) -> None:
    """H8: PATCH with the body 1.5 was taken as an edit of nothing."""
    bill_id = await billed(api, await an_open_order(api, database))
    for body in ["1.5", "[]", '"text"', "true", '{"lines": [1.5]}']:
        a_problem(await raw(api, "PATCH", f"/v1/bills/{bill_id}", body.encode()), 422, "VALIDATION_FAILED")


async def test_a_number_is_written_out(api: ApiClient, database: Database) -> None:
    """H8: Python reads these as numbers."""
    order_id = await an_open_order(api, database)
    for written in ["1_000", "\u0661", "1e2", " 1", "+1", "Infinity", "0x10", True]:
        line = {"order_line_no": 1, "quantity": written, "price": written, "amount": written}
        asked = await api.post(
            f"/v1/purchase-orders/{order_id}/bills", a_bill(lines=[line], total=written, tax=written, discount=written)
        )
        of_line = {f"body.lines.0.{name}" for name in ("quantity", "price", "amount")}
        assert refused_fields(asked) == {*of_line, "body.total", "body.tax", "body.discount"}
        limit = {"checks": {"price": {"block": {"abs": written}}}}
        assert (await api.post("/v1/tolerance-policies", limit)).status_code == 422


async def test_true_is_no_number_of_minutes(api: ApiClient) -> None:
    """H8"""
    connection_id = await connected(api)
    for minutes in [True, "60", 1.5, "\u0661"]:
        asked = await api.put(f"/v1/connections/{connection_id}/schedule", {"every_minutes": minutes})
        assert refused_fields(asked) == {"body.every_minutes"}


async def test_text_is_no_switch(api: ApiClient) -> None:
    """H8: its brothers, the switches."""
    for value in ["true", 1, "on", 0.0]:
        assert refused_fields(await api.post("/v1/connections", new_connection(one_way=value))) == {"body.one_way"}
        connection_id = await connected(api)
        asked = await api.put(f"/v1/connections/{connection_id}/purchase-orders", {"enabled": value})
        assert refused_fields(asked) == {"body.enabled"}


async def test_a_key_is_there_once(api: ApiClient, database: Database) -> None:
    """H8: one reader takes the first value, another one the last."""
    order_id = await an_open_order(api, database)
    body = json.dumps(a_bill()).replace('"number": "INV-1"', '"number": "INV-1", "number": "INV-2"')
    asked = await raw(api, "POST", f"/v1/purchase-orders/{order_id}/bills", body.encode())
    problem = a_problem(asked, 422, "VALIDATION_FAILED")
    assert "'number'" in problem["detail"]


async def test_a_body_that_is_no_json_is_told_so(api: ApiClient, database: Database) -> None:
    """C7: the wrong Content-Type was 422, "Input should be a valid dictionary"."""
    order_id = await an_open_order(api, database)
    for media_type in ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonx"]:
        body = json.dumps(a_bill()).encode()
        asked = await raw(api, "POST", f"/v1/purchase-orders/{order_id}/bills", body, Content_Type=media_type)
        a_problem(asked, 415, "UNSUPPORTED_MEDIA_TYPE")


async def test_a_body_that_is_json_is_taken(api: ApiClient, database: Database) -> None:
    """C7"""
    order_id = await an_open_order(api, database)
    for media_type in ["application/json; charset=utf-8", "Application/JSON", "application/x.y+json"]:
        body = json.dumps(a_bill(number=media_type, acknowledge=["DUPLICATE_SUSPECT"])).encode()
        asked = await raw(api, "POST", f"/v1/purchase-orders/{order_id}/bills", body, Content_Type=media_type)
        assert asked.status_code == 201, asked.text


async def test_sixty_thousand_errors_are_not_written_out(api: ApiClient, database: Database) -> None:
    """H6: 60,000 unknown fields were an answer of 6 MB, and everybody waited."""
    path = f"/v1/purchase-orders/{await an_open_order(api, database)}/bills"
    many = await api.post(path, a_bill(**{f"x{number}": 0 for number in range(15_000)}))
    problem = a_problem(many, 422, "VALIDATION_FAILED")
    assert (len(problem["errors"]), len(many.content) < 2_000) == (1, True)
    more = await api.post(path, a_bill(**{f"x{number}": 0 for number in range(60_000)}))
    a_problem(more, 413, "BODY_TOO_COMPLEX")
    wrong_lines = await api.post(path, a_bill(lines=[{"order_line_no": 0, "quantity": "x"}] * 400))
    problem = a_problem(wrong_lines, 422, "VALIDATION_FAILED")
    assert (len(problem["errors"]), problem["other_errors"]) == (50, 750)
    one_long = await api.post(path, a_bill(**{"x" * 900_000: 0}))
    assert len(one_long.content) < 5_000


async def test_a_body_nests_so_deep_and_no_deeper(api: ApiClient) -> None:
    """H6: and no depth is a fault of ours."""
    for depth in [17, 400, 900, 5_000, 200_000]:
        body = b'{"name":' + b"[" * depth + b"]" * depth + b"}"
        answer = await raw(api, "POST", "/v1/connections", body)
        assert (answer.status_code, answer.json()["code"]) in ((413, "BODY_TOO_COMPLEX"), (400, "INVALID_JSON"))


async def test_a_database_whose_disk_is_full_is_an_outage(api: ApiClient, database: Database) -> None:
    """G10: it was a 500. The request is repeated with its key once there is room."""
    order_id = await an_open_order(api, database)
    path, body = f"/v1/purchase-orders/{order_id}/bills", a_bill(number="INV-FULL")
    statements = (
        "create or replace function no_room() returns trigger language plpgsql as"
        " $$ begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$",
        f"create trigger no_room before insert on bills for each row when (new.purchase_order_id = '{order_id}')"
        " execute function no_room()",
    )
    for statement in statements:
        async with database.transaction() as session:
            await session.execute(text(statement))
    try:
        full = await api.post(path, body, key="full")
    finally:
        async with database.transaction() as session:
            await session.execute(text("drop trigger no_room on bills"))
    a_problem(full, 503, "DATABASE_UNAVAILABLE")
    assert int(full.headers["retry-after"]) > 0
    assert (await api.post(path, body, key="full")).status_code == 201


async def test_a_database_that_ends_its_connections_is_an_outage(api: ApiClient, database: Database) -> None:
    """G10: 36 of 300 answers were 500."""
    order_id = await an_open_order(api, database)
    answers: list[httpx.Response] = []
    over = False

    async def call(number: int) -> None:
        while not over:
            match number % 4:
                case 0:
                    answer = await api.get("/v1/bills")
                case 1:
                    answer = await api.get(f"/v1/purchase-orders/{order_id}", live=False)
                case 2:
                    body = a_bill(number=f"INV-{secrets.token_hex(4)}", acknowledge=["DUPLICATE_SUSPECT"])
                    answer = await api.post(f"/v1/purchase-orders/{order_id}/bills", body)
                case _:
                    answer = await api.post("/v1/tolerance-policies", {"checks": {}, "why": str(number)})
            answers.append(answer)

    async def end_connections() -> None:
        nonlocal over
        for _ in range(40):
            await asyncio.sleep(0.05)
            async with database.statement() as session:
                await session.execute(
                    text(
                        "select pg_terminate_backend(pid) from pg_stat_activity"
                        " where datname = current_database() and pid <> pg_backend_pid()"
                    )
                )
        over = True

    async with asyncio.TaskGroup() as group:
        group.create_task(end_connections())
        for number in range(12):
            group.create_task(call(number))
    failed = [answer for answer in answers if answer.status_code >= 500]
    assert failed, "no connection was ended while it was used"
    for answer in failed:
        a_problem(answer, 503, "DATABASE_UNAVAILABLE")
        assert int(answer.headers["retry-after"]) > 0


async def test_the_same_answer_is_not_sent_twice(api: ApiClient, database: Database) -> None:
    """F9: If-None-Match never answered 304. A payment changes the answer, though not the bill's own version."""
    bill_id = await billed(api, await an_open_order(api, database))
    for path in (f"/v1/bills/{bill_id}", "/v1/bills", "/v1/connections"):
        read = await api.get(path)
        known = {**api.organization.auth(), "If-None-Match": read.headers["etag"]}
        same = await api.http.get(path, headers=known)
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", read.headers["etag"])
        other = await api.http.get(path, headers={**known, "If-None-Match": '"other"'})
        assert (other.status_code, other.json()) == (200, read.json())
    read = await api.get(f"/v1/bills/{bill_id}")
    async with database.transaction() as session:
        await session.execute(
            text("update erp_writes set attempts = attempts + 1 where subject_id = :bill"), {"bill": bill_id}
        )
    known = {**api.organization.auth(), "If-None-Match": read.headers["etag"]}
    changed = await api.http.get(f"/v1/bills/{bill_id}", headers=known)
    assert (changed.status_code, changed.json()["version"]) == (200, read.json()["version"])
    edited = await api.patch(f"/v1/bills/{bill_id}", {"memo": "new"}, if_match=read.headers["etag"])
    assert edited.status_code == 200, edited.text
    again = await api.patch(f"/v1/bills/{bill_id}", {"memo": "newer"}, if_match=read.headers["etag"])
    a_problem(again, 412, "PRECONDITION_FAILED")


async def test_no_answer_has_a_part_of_any_shape(api: ApiClient) -> None:
    """F9: capabilities, preferences, findings and checks were any object."""
    document = (await api.http.get("/openapi.json")).json()
    shapes = document["components"]["schemas"]
    for name, field, shape in (
        ("Connection", "capabilities", "Capabilities"),
        ("EarlierMatch", "findings", "MatchResult.Finding"),
        ("ChangedOutcome", "appeared", "MatchResult.Finding"),
        ("ChangedOutcome", "gone", "MatchResult.Finding"),
        ("Policy", "checks", "NewChecks"),
    ):
        assert f'#/components/schemas/{shape}"' in json.dumps(shapes[name]["properties"][field]), (name, field)
        assert shapes[shape]["properties"]
    assert shapes["Connection"]["properties"]["preferences"]["additionalProperties"] == {"type": "string"}


async def test_the_document_says_what_shape_an_answer_has(api: ApiClient) -> None:
    """F9: `match`, `counts`, `payment`, `before` and `after` were any object; ETag and Retry-After were not there."""
    document = (await api.http.get("/openapi.json")).json()
    shapes = document["components"]["schemas"]
    assert "x-shape" not in json.dumps(document)
    for shape, field in (("Bill", "match"), ("BillCreated", "match"), ("DryRun", "match"), ("BillMatch", "result")):
        assert "#/components/schemas/MatchResult" in json.dumps(shapes[shape]["properties"][field])
    assert {"outcome", "findings", "inputs", "policy"} <= set(shapes["MatchResult"]["properties"])
    for shape in ("BillCreated", "DryRun", "BillMatch", "DecisionTaken"):
        assert shapes[shape]["properties"]["needs"]["$ref"] == "#/components/schemas/OpenNeeds"
    assert "amount" in shapes["ScheduledPayment"]["properties"]
    for operations in document["paths"].values():
        for method, operation in operations.items():
            for status in {"429", "503"} & set(operation["responses"]):
                assert "Retry-After" in operation["responses"][status]["headers"]
            # A file is sent while it is read, so it has no digest.
            read = "application/json" in operation["responses"].get("200", {}).get("content", {})
            if operation.get("security") and read and method in ("get", "put", "patch"):
                assert "ETag" in operation["responses"]["200"]["headers"], operation["operationId"]
    for name in _shapes(list(document["paths"].values()), shapes):
        text_of_all = json.dumps(shapes[name])
        for reference in [part.split('"')[0] for part in text_of_all.split("#/components/schemas/")[1:]]:
            assert reference in shapes, (name, reference)


async def test_a_payment_method_is_one_of_ours(api: ApiClient, database: Database) -> None:
    """A9: "Bitcoin" was taken and handed on to the ERP."""
    bill_id = await billed(api, await an_open_order(api, database))
    paid = {"amount": "1.00", "pay_on": TOMORROW, "method": "Bitcoin"}
    assert refused_fields(await api.post(f"/v1/bills/{bill_id}/payments", paid)) == {"body.method"}


async def test_the_example_of_a_bill_can_be_sent_as_it_is(api: ApiClient, database: Database) -> None:
    """F8: the page showed random junk; a generated example follows a pattern, so dates and texts have one too."""
    document = (await api.http.get("/openapi.json")).json()
    shapes = document["components"]["schemas"]
    (example,) = shapes["NewBill"]["examples"]
    order_id = await mirrored(database, await connected(api), an_order("PO-1", lines=1))
    dry = await api.post(f"/v1/purchase-orders/{order_id}/match", example)
    assert dry.status_code == 200, dry.text
    for name in ("NewBill", "NewPayment", "BillEdit", "NewClosedPeriod"):
        for field, schema in shapes[name]["properties"].items():
            for text_schema in _texts(schema):
                if {"pattern", "format"} & set(text_schema):
                    assert '"examples"' in json.dumps(schema), (name, field)


async def test_a_token_is_shown_by_its_last_characters(api: ApiClient, database: Database) -> None:
    """H10: viewers saw NetSuite's token id."""
    connection_id = await connected(api)
    async with database.transaction() as session:
        await session.execute(
            text("update connections set erp = 'netsuite', user_name = 'abcdef0123456789' where id = :id"),
            {"id": connection_id},
        )
    for role in ("viewer", "admin"):
        for path in ("/v1/connections", f"/v1/connections/{connection_id}"):
            read = await api.as_(role).get(path)
            assert "...6789" in read.text
            assert "abcdef" not in read.text


async def test_a_department_that_the_erp_does_not_have_is_refused_by_line(api: ApiClient, database: Database) -> None:
    """H4: it was 201, and later a sync issue. Nothing is known of a list that has not come in yet."""
    connection_id = await connected(api)
    order_id = await mirrored(database, connection_id, an_order("PO-1"))
    path = f"/v1/purchase-orders/{order_id}"
    lines = [
        {"order_line_no": 1, "quantity": "1", "department": "SALES", "class_id": "any"},
        {"order_line_no": 2, "quantity": "1", "department": "100", "location": "Nowhere"},
    ]
    assert (await api.post(f"{path}/match", a_bill(lines=lines))).status_code == 200
    entries = [
        ListEntry(kind=kind, erp_id=ErpId(f"{kind}-1"), key="100", name="One")
        for kind in (ListKind.DEPARTMENT, ListKind.LOCATION)
    ]
    async with database.transaction() as session:
        await list_entries.upsert(session, ConnectionId(connection_id), entries)
    wrong = {"body.lines.0.department", "body.lines.1.location"}
    assert refused_fields(await api.post(f"{path}/match", a_bill(lines=lines))) == wrong
    assert refused_fields(await api.post(f"{path}/bills", a_bill(lines=lines))) == wrong
    bill_id = await billed(api, order_id)
    change = {"lines": [{"line_no": 1, "department": "SALES"}]}
    assert refused_fields(await api.patch(f"/v1/bills/{bill_id}", change)) == {"body.lines.0.department"}
    assert (
        await api.patch(f"/v1/bills/{bill_id}", {"lines": [{"line_no": 1, "department": "department-1"}]})
    ).status_code == 200


async def test_a_department_of_a_credit_that_the_erp_does_not_have_is_refused_by_line(
    api: ApiClient, database: Database
) -> None:
    """H4's brother: it was 201, and the ERP refused it later."""
    connection_id = await connected(api)
    order_id = await mirrored(database, connection_id, an_order("PO-1"))
    await billed(api, order_id)
    entry = ListEntry(kind=ListKind.DEPARTMENT, erp_id=ErpId("1"), key="100", name="One")
    async with database.transaction() as session:
        await list_entries.upsert(session, ConnectionId(connection_id), [entry])
        capabilities = """update connections set capabilities = capabilities || '{"credits": true}' where id = :id"""
        await session.execute(text(capabilities), {"id": connection_id})
    lines = [{"amount": "1.00", "account": "6000", "department": name} for name in ("100", "SALES")]
    body = {"purchase_order_id": order_id, "number": "CM-1", "credit_date": "2026-11-20", "lines": lines}
    assert refused_fields(await api.post("/v1/credits", body)) == {"body.lines.1.department"}
    for day in ("1000-01-01", "2099-01-01"):
        unlikely = await api.post("/v1/credits", {**body, "lines": lines[:1], "credit_date": day})
        assert (unlikely.status_code, unlikely.json()["code"]) == (422, "CREDIT_DATE_UNLIKELY"), "A9's brother"
    assert (await api.post("/v1/credits", {**body, "lines": lines[:1]})).status_code == 201


async def test_a_location_of_another_entity_is_refused_by_line(api: ApiClient, database: Database) -> None:
    """S2-12: only the bill's own entity was compared; a line's location of another one was saved and sent."""
    connection_id = await connected(api)
    order = an_order("PO-1")
    lines = tuple(line.model_copy(update={"entity": "100"}) for line in order.lines)
    order_id = await mirrored(database, connection_id, order.model_copy(update={"entity": "100", "lines": lines}))
    entries = [
        ListEntry(kind=ListKind.LOCATION, erp_id=ErpId(key), key=key, name=key, attributes=attributes)
        for key, attributes in (("100", {"entity": "100"}), ("LONDON", {"entity": "200"}), ("YARD", {}))
    ]
    async with database.transaction() as session:
        await list_entries.upsert(session, ConnectionId(connection_id), entries)
    path = f"/v1/purchase-orders/{order_id}"
    body = a_bill(lines=[{"order_line_no": 1, "quantity": "1", "location": "LONDON"}])
    for what in ("match", "bills"):
        refused = a_problem(await api.post(f"{path}/{what}", body), 422, "VALIDATION_FAILED")
        assert [(one["where"], one["rule"]) for one in refused["errors"]] == [("body.lines.0.location", "other_entity")]
        assert "entity 200" in refused["detail"]
    for location in ("100", "YARD"):
        body = a_bill(lines=[{"order_line_no": 1, "quantity": "1", "location": location}])
        assert (await api.post(f"{path}/match", body)).status_code == 200
    bill_id = await billed(api, order_id)
    change = {"lines": [{"line_no": 1, "location": "LONDON"}]}
    assert refused_fields(await api.patch(f"/v1/bills/{bill_id}", change)) == {"body.lines.0.location"}


async def test_the_orders_own_department_is_taken(api: ApiClient, database: Database) -> None:
    """H4: a draft is posted as it is, though its department is in no list any more."""
    connection_id = await connected(api)
    order = an_order("PO-1", lines=1)
    order = order.model_copy(
        update={"lines": tuple(line.model_copy(update={"department": "OLD"}) for line in order.lines)}
    )
    order_id = await mirrored(database, connection_id, order)
    async with database.transaction() as session:
        entry = ListEntry(kind=ListKind.DEPARTMENT, erp_id=ErpId("1"), key="100", name="One")
        await list_entries.upsert(session, ConnectionId(connection_id), [entry])
    lines = [{"order_line_no": 1, "quantity": "1", "department": "OLD"}]
    assert (await api.post(f"/v1/purchase-orders/{order_id}/bills", a_bill(lines=lines))).status_code == 201


async def test_an_account_that_is_inactive_and_a_location_of_another_entity_are_refused_by_line(
    api: ApiClient, database: Database
) -> None:
    """S2-12: a bill is coded to no other entity than its own; what is inactive is found before the ERP refuses it."""
    connection_id = await connected(api)
    order_id = await mirrored(database, connection_id, an_order("PO-1", entity="100"))

    def entry(kind: ListKind, key: str, *, active: bool = True, entity: str = "") -> ListEntry:
        attributes = {"entity": entity} if entity else {}
        return ListEntry(
            kind=kind, erp_id=ErpId(f"{kind}-{key}"), key=key, name=key, active=active, attributes=attributes
        )

    entries = [
        entry(ListKind.GL_ACCOUNT, "6000"),
        entry(ListKind.GL_ACCOUNT, "6100", active=False),
        entry(ListKind.LOCATION, "NORTH", entity="100"),
        entry(ListKind.LOCATION, "SOUTH", entity="200"),
        entry(ListKind.LOCATION, "200"),
        entry(ListKind.LOCATION, "ANYWHERE"),
        entry(ListKind.ENTITY, "200"),
    ]
    async with database.transaction() as session:
        await list_entries.upsert(session, ConnectionId(connection_id), entries)
        await session.execute(text("update connections set entity = null where id = :id"), {"id": connection_id})
    path = f"/v1/purchase-orders/{order_id}/match"
    fine = [
        {"order_line_no": 1, "quantity": "1", "account": "6000", "location": place} for place in ("NORTH", "ANYWHERE")
    ]
    for line in fine:
        assert (await api.post(path, a_bill(lines=[line]))).status_code == 200
    wrong = [
        {"order_line_no": 1, "quantity": "1", "account": "6100"},
        {"order_line_no": 1, "quantity": "1", "account": "9999"},
        {"order_line_no": 1, "quantity": "1", "location": "SOUTH"},
        {"order_line_no": 1, "quantity": "1", "location": "200"},
    ]
    answer = await api.post(path, a_bill(lines=wrong))
    assert [(one["where"], one["rule"]) for one in answer.json()["errors"]] == [
        ("body.lines.0.account", "inactive"),
        ("body.lines.1.account", "unknown"),
        ("body.lines.2.location", "other_entity"),
        ("body.lines.3.location", "other_entity"),
    ]


@pytest.mark.parametrize(("either", "code"), [(True, 200), (False, 422)])
async def test_where_one_field_names_both_a_customer_is_taken_as_a_project(
    api: ApiClient, database: Database, either: bool, code: int
) -> None:
    """Issue 13.7: NetSuite has one field for projects and customers, Intacct a field for each."""
    connection_id = await connected(api)
    order_id = await mirrored(database, connection_id, an_order("PO-1"))
    entries = [
        ListEntry(kind=kind, erp_id=ErpId(key), key=key, name=key)
        for kind, key in ((ListKind.PROJECT, "P-1"), (ListKind.CUSTOMER, "C-1"))
    ]
    async with database.transaction() as session:
        await list_entries.upsert(session, ConnectionId(connection_id), entries)
        await session.execute(
            text(
                "update connections set capabilities = capabilities || jsonb_build_object("
                "'projects_or_customers', cast(:either as boolean)) where id = :id"
            ),
            {"id": connection_id, "either": either},
        )
    path = f"/v1/purchase-orders/{order_id}/match"
    for project, expected in (("P-1", 200), ("C-1", code), ("C-9", 422)):
        answer = await api.post(path, a_bill(lines=[{"order_line_no": 1, "quantity": "1", "project": project}]))
        assert answer.status_code == expected, answer.text
