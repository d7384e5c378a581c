"""The sign-in service: consent, tokens that rotate, what ends a grant, and how calls without one are refused."""

from typing import Any

import pytest

from tests.unit.sandbox.quickbooks_online.books import ACCOUNTING, CLIENT, REDIRECT, Books, code_of

_DAY = 86400


async def test_discovery_names_the_sandboxs_own_addresses(books: Books) -> None:
    """Reference 2.6: with and without the slash behind it; nothing of PKCE."""
    for path in ("openid_configuration/", "openid_sandbox_configuration"):
        document = (await books.http.get(f"/.well-known/{path}")).json()
        assert document["token_endpoint"] == "http://sandbox.test:8900/oauth2/v1/tokens/bearer"
        assert document["issuer"] == "https://oauth.platform.intuit.com/op/v1"
        assert "code_challenge_methods_supported" not in document
    assert (await books.http.get("/op/v1/jwks")).json() == {"keys": []}
    assert (await books.http.post("/.well-known/openid_configuration")).status_code == 405


async def test_a_consent_comes_back_with_code_state_and_company(books: Books) -> None:
    """Reference 2.1."""
    back = await books.consent(redirect_uri=f"{REDIRECT}?tenant=7")
    assert (back["state"], back["realmId"], back["tenant"]) == ("st-1", books.realm, "7")
    await books.act("decide_consent", refuse=True)
    assert await books.consent() == {"error": "access_denied", "state": "st-1"}


@pytest.mark.parametrize(
    ("asked", "error"),
    [({"response_type": "token"}, "unsupported_response_type"), ({"scope": "everything"}, "invalid_scope")],
)
async def test_a_consent_that_cannot_be_given_says_why(books: Books, asked: dict[str, str], error: str) -> None:
    """Reference 2.4."""
    assert (await books.consent(**asked))["error"] == error


async def test_parameters_that_are_not_documented_are_ignored_or_refused(books: Books) -> None:
    """Reference 2.1: unverified, a switch."""
    assert "code" in await books.consent(code_challenge="x", code_challenge_method="S256")
    await books.switch(authorize_extras="refuse")
    assert (await books.consent(code_challenge="x"))["error"] == "invalid_request"
    assert "code" in await books.consent()


async def test_nobody_is_sent_to_an_address_that_is_not_registered(books: Books) -> None:
    """Reference 2.1: byte for byte."""
    await books.act("set_app", redirect_uris=[REDIRECT])
    asked = {"client_id": CLIENT[0], "response_type": "code", "scope": ACCOUNTING, "state": "s"}
    for wrong in ({"redirect_uri": f"{REDIRECT}/"}, {"redirect_uri": REDIRECT, "client_id": "other"}, {}):
        answer = await books.http.get("/connect/oauth2", params={**asked, **wrong})
        assert (answer.status_code, "location" in answer.headers) == (400, False)
    assert "code" in await books.consent()


async def test_a_code_is_good_once_and_for_minutes(books: Books) -> None:
    """Reference 2.1, 2.4: a second use ends what the first one gave."""
    back = await books.consent()
    tokens = (await books.exchange(back["code"])).json()
    assert (await books.exchange(back["code"])).json() == {"error": "invalid_grant"}
    assert (await books.refresh(tokens["refresh_token"])).status_code == 400
    back = await books.consent()
    await books.pass_time(301)
    assert (await books.exchange(back["code"])).status_code == 400
    back = await books.consent()
    answer = await books.tokens(grant_type="authorization_code", code=back["code"], redirect_uri="https://other.test")
    assert answer.status_code == 400


async def test_the_token_endpoint_refuses_as_the_standard_says(books: Books) -> None:
    """Reference 2.4."""
    for form, error in (
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "x"}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({}, "invalid_request"),
    ):
        answer = await books.tokens(**form)
        assert (answer.status_code, answer.json()) == (400, {"error": error})
        assert answer.headers["intuit_tid"]
    wrong = await books.tokens("Basic eDp5", grant_type="refresh_token", refresh_token="x")
    assert (wrong.status_code, wrong.json()) == (401, {"error": "invalid_client"})
    in_form = {"client_id": CLIENT[0], "client_secret": CLIENT[1], "grant_type": "refresh_token", "refresh_token": "x"}
    assert (await books.tokens("", **in_form)).json() == {"error": "invalid_grant"}
    await books.switch(invalid_grant_described=True)
    described = (await books.refresh("x")).json()
    assert described["error_description"] == "Incorrect Token type or clientID"


async def test_refresh_tokens_rotate_each_time_or_after_a_day(books: Books) -> None:
    """Reference 2.3."""
    first = (await books.connect())["refresh_token"]
    second = (await books.refresh(first)).json()["refresh_token"]
    assert second != first
    await books.switch(refresh_rotation="after_24_hours")
    assert (await books.refresh(second)).json()["refresh_token"] == second
    await books.pass_time(_DAY)
    assert (await books.refresh(second)).json()["refresh_token"] != second


@pytest.mark.parametrize(
    ("position", "at_once", "a_day_later", "new_one"),
    [("dead", 400, 400, 200), ("grace_24_hours", 200, 400, 200), ("kills_grant", 400, 400, 400)],
)
async def test_a_superseded_refresh_token(
    books: Books, position: str, at_once: int, a_day_later: int, new_one: int
) -> None:
    """Reference 2.3: sources contradict each other, a switch."""
    await books.switch(superseded_token=position)
    first = (await books.connect())["refresh_token"]
    second = (await books.refresh(first)).json()["refresh_token"]
    again = await books.refresh(first)
    assert again.status_code == at_once
    assert again.status_code == 400 or again.json()["refresh_token"] == second
    assert (await books.refresh(second)).status_code == new_one
    await books.pass_time(_DAY + 1)
    assert (await books.refresh(first)).status_code == a_day_later
    consent = (await books.held("consents"))[-1]
    assert consent["superseded_tokens_used"] == (1 if position == "kills_grant" else 2)


async def test_a_lost_answer_leaves_the_new_token_in_force(books: Books) -> None:
    """Reference 2.4: the usual production accident."""
    first = (await books.connect())["refresh_token"]
    await books.break_("lost_answer", operation="token", times=1)
    with pytest.raises(Exception, match="without sending a response"):
        await books.refresh(first)
    assert (await books.refresh(first)).json() == {"error": "invalid_grant"}


async def test_tokens_and_grants_end(books: Books) -> None:
    """Reference 2.2: an hour, a hundred days without use, five years whatever happens."""
    refresh = (await books.connect())["refresh_token"]
    await books.pass_time(3601)
    assert code_of(await books.call("GET", "preferences")) == "3200"
    await books.switch(hard_expiry_shown=True)
    for _ in range(18):
        await books.pass_time(100 * _DAY)
        tokens = (await books.refresh(refresh)).json()
        refresh = tokens["refresh_token"]
    assert tokens["x_refresh_token_expires_in"] == tokens["x_refresh_token_hard_expires_in"] < 27 * _DAY
    await books.pass_time(27 * _DAY)
    assert (await books.refresh(refresh)).status_code == 400
    refresh = (await books.connect())["refresh_token"]
    await books.pass_time(102 * _DAY)
    assert (await books.refresh(refresh)).status_code == 400


async def revoke(books: Books, token: str) -> int:
    return (await books.http.post("/v2/oauth2/tokens/revoke", json={"token": token}, auth=CLIENT)).status_code


async def test_either_token_ends_the_grant(books: Books) -> None:
    """Reference 2.5."""
    tokens = await books.connect()
    assert await revoke(books, "unknown") == 400
    assert await revoke(books, tokens["access_token"]) == 200
    assert code_of(await books.call("GET", "preferences")) == "3200"
    assert (await books.refresh(tokens["refresh_token"])).status_code == 400
    tokens = await books.connect()
    assert await revoke(books, tokens["refresh_token"]) == 200
    assert await revoke(books, tokens["refresh_token"]) == 400


async def test_a_person_disconnects_inside_the_company(books: Books) -> None:
    """Reference 2.5: the app hears of it only when it calls."""
    refresh = (await books.connect())["refresh_token"]
    await books.act("disconnect")
    assert code_of(await books.call("GET", "preferences")) == "3200"
    assert (await books.refresh(refresh)).json() == {"error": "invalid_grant"}
    assert {consent["ended"] for consent in await books.held("consents")} == {"disconnected by a person"}


async def test_who_agreed(books: Books) -> None:
    """Reference 1.1: only with the scope openid."""
    assert (await books.http.get("/v1/openid_connect/userinfo")).status_code == 401
    tokens = (await books.exchange((await books.consent(scope=f"{ACCOUNTING} openid"))["code"])).json()
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    assert (await books.http.get("/v1/openid_connect/userinfo", headers=headers)).json()["givenName"] == "Ann"
    assert "id_token" not in tokens


async def test_calls_without_a_token_are_refused_in_another_shape(books: Books) -> None:
    """Reference 2.7: lower-case keys and many nulls; 403 for another company."""
    books.token, good = "junk", books.token
    answer = await books.call("GET", "preferences")
    fault: dict[str, Any] = answer.json()["fault"]
    assert (answer.status_code, fault["type"]) == (401, "AUTHENTICATION")
    assert fault["error"][0]["message"] == "message=AuthenticationFailed; errorCode=003200; statusCode=401"
    assert fault["error"][0]["detail"] == "Malformed bearer token: too short or too long"
    assert isinstance(answer.json()["time"], int)
    assert answer.headers["www-authenticate"] == 'Bearer realm="Intuit", error="invalid_token"'
    books.token, books.realm = good, "9130350000000000002"
    answer = await books.call("GET", "preferences")
    assert (answer.status_code, code_of(answer)) == (403, "3100")
    await books.switch(sign_in_fault="pascal_case")
    assert (await books.call("GET", "preferences")).json()["Fault"]["Error"][0]["code"] == "3100"


async def test_another_company_is_picked(books: Books) -> None:
    """Reference 2.1: one grant is for one company."""
    await books.act("choose_company", realm="9130350000000000002")
    await books.connect()
    assert books.realm == "9130350000000000002"
    await books.order("PO-2")
    assert len(await books.query("select * from PurchaseOrder")) == 1
    await books.act("choose_company", realm="9130350000000000001")
    assert await books.held("purchase_orders") == []
