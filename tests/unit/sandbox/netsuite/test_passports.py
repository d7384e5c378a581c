"""Token-based authentication (reference 2.1): what is let in, what is refused, what an administrator reads of it."""

import time
from typing import Any

import pytest

from sandbox.netsuite.passports import signature_of
from tests.unit.sandbox.netsuite.suite import PORT, Reply, Suite, envelope, passport, signature

TIME = "<m:getServerTime/>"


async def knock(suite: Suite, header: str, **headers: str) -> Reply:
    return Reply(await suite.post(TIME, header, **headers))


def test_the_signature_is_the_one_of_the_reference() -> None:
    """Reference 2.1, test vector."""
    base = "1234567_SB1&ck-111&tk-333&aB3dE6gH9jK2mN5pQ8sT&1700000000"
    expected = "Qmc79kuxfEBCO5G6KyYD6R4YfH9AmmtEpGb71kvDJmE="
    assert signature_of(base, "cs-222&ts-444", "HMAC-SHA256") == expected
    assert signature_of(base, "cs-222&ts-444", "HMAC_SHA256") == expected


@pytest.mark.parametrize("algorithm", ["HMAC-SHA256", "HMAC_SHA256", "HMAC-SHA1"])
async def test_a_signed_request_is_let_in(suite: Suite, algorithm: str) -> None:
    """Reference 2.1."""
    reply = await knock(suite, passport(algorithm=algorithm))
    assert reply.http.status_code == 200
    assert reply.ok
    assert reply.text("//m:documentInfo/m:nsId").startswith("WEBSERVICES_TSTDRV1_")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"key": "cs&other"}, "InvalidSignature"),
        ({"key": "other&ts"}, "InvalidSignature"),
        ({"wrong": "AAAA"}, "InvalidSignature"),
        ({"algorithm": "HMAC-MD5"}, "InvalidSignature"),
        ({"account": "tstdrv1"}, "permission_denied"),
        ({"account": "TSTDRV1_SB1"}, "permission_denied"),
        ({"consumer": "other"}, "consumer_key_unknown"),
        ({"token": "other"}, "token_rejected"),
        ({"nonce": "short"}, "InvalidNonce"),
        ({"nonce": "not-alphanumeric"}, "InvalidNonce"),
        ({"seconds_off": -400}, "InvalidTimestamp"),
        ({"seconds_off": 400}, "InvalidTimestamp"),
    ],
)
async def test_every_refusal_looks_the_same_from_outside(suite: Suite, values: dict[str, Any], reason: str) -> None:
    """Reference 2.1: one generic fault; the reason stands in the login audit trail."""
    if "seconds_off" in values:
        values = {"timestamp": int(time.time()) + values["seconds_off"]}
    reply = await knock(suite, passport(**values))
    assert reply.http.status_code == 500
    assert reply.fault == ("invalidCredentialsFault", "INVALID_LOGIN_CREDENTIALS", "Invalid login attempt.")
    assert [entry["reason"] for entry in await suite.held("login_audit")] == [reason]


async def test_a_passport_is_good_once(suite: Suite) -> None:
    """Reference 2.1: the nonce with its timestamp is never taken again."""
    header = passport()
    assert (await knock(suite, header)).ok
    assert (await knock(suite, header)).fault[0] == "invalidCredentialsFault"
    stamp = int(time.time())
    assert (await knock(suite, passport(nonce="sameNonce1", timestamp=stamp))).ok
    assert (await knock(suite, passport(nonce="sameNonce1", timestamp=stamp + 1))).ok


async def test_a_request_without_a_whole_passport_is_refused(suite: Suite) -> None:
    """Reference 2.1."""
    whole = passport()
    for header in ("", whole.replace("<c:token>tk</c:token>", ""), whole.replace(' algorithm="HMAC-SHA256"', "")):
        assert (await knock(suite, header)).fault[0] == "invalidCredentialsFault"
    reasons = {entry["reason"] for entry in await suite.held("login_audit")}
    assert reasons == {"MissingTokenPassportRequiredFields"}


async def test_two_kinds_of_credentials_are_ambiguous(suite: Suite) -> None:
    """Reference 2.1."""
    application = "<m:applicationInfo><m:applicationId>x</m:applicationId></m:applicationInfo>"
    for reply in (
        await knock(suite, passport() + application),
        await knock(suite, passport() + passport()),
        await knock(suite, passport(), cookie="JSESSIONID=1"),
    ):
        assert reply.fault == ("invalidCredentialsFault", "USER_ERROR", "Ambiguous authentication")


async def test_header_elements_are_told_by_local_name(suite: Suite) -> None:
    """Reference 2.1: clients put them in different namespaces, and one ends its signature with a newline."""
    foreign = passport().replace("<c:", "<").replace("</c:", "</").replace("</signature>", "\n</signature>")
    assert (await knock(suite, foreign.replace("<m:tokenPassport>", '<m:tokenPassport xmlns="urn:x">'))).ok


async def test_data_centre_urls_need_no_passport(suite: Suite) -> None:
    """Reference 1.1."""
    body = "<m:getDataCenterUrls><m:account>TSTDRV1</m:account></m:getDataCenterUrls>"
    reply = Reply(await suite.http.post(PORT, content=envelope(body, "").encode()))
    assert reply.text("//c:webservicesDomain") == "http://sandbox.test:8900"


async def test_a_revoked_token_is_refused_until_the_new_one_is_used(suite: Suite) -> None:
    """Reference 2.1."""
    await suite.act("change_secrets", token_secret="fresh")
    assert (await knock(suite, passport())).fault[2] == "Invalid login attempt."
    assert (await knock(suite, passport(key="cs&fresh"))).ok
    await suite.room("/reset")
    assert (await knock(suite, passport())).ok


async def test_months_that_pass_in_the_sandbox_sign_nobody_out(suite: Suite) -> None:
    """The machine's clock counts for passports, the sandbox's for everything else."""
    await suite.room("/clock", {"advance_seconds": 90 * 86_400})
    reply = await knock(suite, passport())
    assert reply.ok
    assert reply.text("//c:serverTime")[:10] == (await suite.room("/clock", method="GET"))["now"][:10]


def test_the_helper_of_these_tests_signs_as_the_reference_does() -> None:
    """A wrong helper would prove nothing."""
    base = "1234567_SB1&ck-111&tk-333&aB3dE6gH9jK2mN5pQ8sT&1700000000"
    assert signature(base, "cs-222&ts-444") == "Qmc79kuxfEBCO5G6KyYD6R4YfH9AmmtEpGb71kvDJmE="
