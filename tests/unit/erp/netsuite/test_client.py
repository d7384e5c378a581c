"""Signing, sending, and what an answer that is none becomes (reference 2.1, 6)."""

import asyncio
import logging
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from erp.connection import ConnectionSettings
from erp.errors import (
    AuthenticationFailed,
    ErpError,
    MalformedAnswer,
    OutcomeUnknown,
    Rejected,
    Throttled,
    Unavailable,
    UnknownRefusal,
)
from erp.netsuite import auth, soap
from erp.netsuite.auth import address
from erp.netsuite.connector import NetSuiteConnector
from erp.sign_in import Credentials
from models.domain.ids import ErpId
from tests.fakes.suitetalk.description import WSDL, XSDS
from tests.unit.erp.netsuite.bills import a_bill
from tests.unit.erp.netsuite.service import (
    CREDENTIALS,
    ENDPOINT,
    SECRETS,
    Service,
    fault,
    found,
    got,
    order,
    order_item,
)


def test_the_signature_of_the_reference() -> None:
    """Reference 2.1: the test vector."""
    values = {
        "account": "1234567_SB1",
        "consumer_key": "ck-111",
        "token_id": "tk-333",
        "consumer_secret": "cs-222",
        "token_secret": "ts-444",
    }
    signed = auth.signature(values, "aB3dE6gH9jK2mN5pQ8sT", 1700000000)
    assert signed == "Qmc79kuxfEBCO5G6KyYD6R4YfH9AmmtEpGb71kvDJmE="


async def test_every_call_has_a_passport_of_its_own(service: Service) -> None:
    """Reference 2.1: a nonce used twice is refused as a failed login."""
    service.script["search"] = found()
    connector = service.connect()
    for _ in range(3):
        await connector.receipts.page(since=None, after=None)
    nonces = [signed.xpath("string(*[local-name()='nonce'])") for signed in service.passports]
    assert len(set(nonces)) == len(nonces) == 3
    assert all(nonce.isalnum() and 6 <= len(nonce) <= 64 for nonce in nonces)
    assert service.passports[0].xpath("string(*[local-name()='account'])") == "TSTDRV1"
    assert service.passports[0].xpath("string(*[local-name()='signature']/@algorithm)") == "HMAC-SHA256"


async def test_missing_credentials_are_named(service: Service) -> None:
    """S2-51."""
    with pytest.raises(AuthenticationFailed) as caught:
        await service.connect(credentials={"token_secret": "", "account": ""}).check()
    assert caught.value.code == "AUTH_CREDENTIALS_MISSING"
    assert "account, token_secret" in caught.value.message
    assert not service.requests


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://tstdrv1.suitetalk.api.netsuite.com/services/NetSuitePort_2023_2",
        "https://netsuite.com.example.org/services/NetSuitePort_2023_2",
        "https://evilnetsuite.com/services/NetSuitePort_2023_2",
        "https://example.org\\.netsuite.com/services/NetSuitePort_2023_2",
        "https://example.org%2f.netsuite.com/services/NetSuitePort_2023_2",
        "http://127.0.0.1:8900/services/NetSuitePort_2023_2",
        "https://tstdrv1.suitetalk.api.netsuite.com:x/services/NetSuitePort_2023_2",
    ],
)
async def test_secrets_go_to_netsuite_alone(service: Service, endpoint: str) -> None:
    """The address is a setting; another host never sees a signed request."""
    with pytest.raises(AuthenticationFailed) as caught:
        await service.connect(endpoint=endpoint).check()
    assert caught.value.code == "ENDPOINT_NOT_TRUSTED"
    assert not service.requests


@pytest.mark.parametrize("version", ["2023_2", "2024_1", "2024_2", "2025_1", "2025_2"])
def test_endpoint_versions(version: str) -> None:
    """Issue 4: the endpoint's version is a setting."""
    known = address(ENDPOINT.replace("2023_2", version), allow_loopback=False)
    assert known.version == version
    assert known.wsdl == f"https://tstdrv1.suitetalk.api.netsuite.com/wsdl/v{version}_0/netsuite.wsdl"


@pytest.mark.parametrize("path", ["NetSuitePort_2019_1", "NetSuitePort", "NetSuitePort_2023_2/x"])
def test_an_unknown_version_is_told(path: str) -> None:
    """A version nobody has tried is not tried on a customer."""
    with pytest.raises(AuthenticationFailed) as caught:
        address(ENDPOINT.replace("NetSuitePort_2023_2", path), allow_loopback=False)
    assert caught.value.code == "ENDPOINT_VERSION_UNKNOWN"


# --- faults ----------------------------------------------------------------------------------------------------

BLOCKED = "SuiteTalk concurrent request limit exceeded. Request blocked."
READS = [
    (fault("exceededConcurrentRequestLimitFault", "WS_REQUEST_BLOCKED", BLOCKED), Throttled, "ERP_THROTTLED"),
    (fault("exceededRequestLimitFault", "WS_CONCUR_SESSION_DISALLWD", "One at a time."), Throttled, "ERP_THROTTLED"),
    (fault("invalidCredentialsFault", "USER_ERROR", "Invalid login attempt."), AuthenticationFailed,
     "AUTH_TOKEN_REFUSED"),
    (fault("invalidCredentialsFault", "INVALID_LOGIN_CREDENTIALS", "No.", 200), AuthenticationFailed,
     "AUTH_TOKEN_REFUSED"),
    (fault("insufficientPermissionFault", "INSUFFICIENT_PERMISSION", "You need ..."), AuthenticationFailed,
     "PERMISSION_DENIED"),
    (fault("invalidSessionFault", "SESSION_TIMED_OUT", "Expired."), Unavailable, "ERP_PROCESSING_ERROR"),
    (fault("invalidVersionFault", "INVALID_WS_VERSION", "Retired."), AuthenticationFailed,
     "ENDPOINT_VERSION_RETIRED"),
    (fault("exceededRecordCountFault", "MAX_RCRDS_EXCEEDED", "Too many."), Rejected, "TOO_LARGE"),
    (fault("exceededRequestSizeFault", "USER_ERROR", "Too big."), Rejected, "TOO_LARGE"),
    (fault("exceededUsageLimitFault", "USER_ERROR", "Used up."), Throttled, "ERP_BUSY"),
    (fault("unexpectedErrorFault", "UNEXPECTED_ERROR", "An unexpected error occurred."), Unavailable,
     "ERP_PROCESSING_ERROR"),
    (fault("unexpectedErrorFault", "UNEXPECTED_ERROR", "The account is under scheduled maintenance."), Unavailable,
     "ERP_MAINTENANCE"),
    (fault("unexpectedErrorFault", "ACCT_TEMP_UNAVAILABLE", "Later."), Unavailable, "ERP_MAINTENANCE"),
    (fault("asyncFault", "INVALID_PAGE_INDEX", "No page."), Rejected, "REQUEST_NOT_UNDERSTOOD"),
    (fault("somethingNewFault", "NOBODY_MET_THIS", "Hm."), Rejected, "UNKNOWN_ERP_ERROR"),
    (httpx.Response(503, text="<html>away</html>"), Unavailable, "ERP_OUTAGE"),
    (httpx.Response(429), Throttled, "ERP_THROTTLED"),
    (httpx.Response(403), Unavailable, "ENDPOINT_REFUSED"),
    (httpx.Response(401), AuthenticationFailed, "AUTH_TOKEN_REFUSED"),
    (httpx.Response(302), MalformedAnswer, "MALFORMED_ANSWER"),
    (httpx.Response(200, text="<html>hello</html>"), MalformedAnswer, "MALFORMED_ANSWER"),
    (httpx.Response(200, text="<soapenv:Envelope"), MalformedAnswer, "MALFORMED_ANSWER"),
    (httpx.Response(200, content=b""), MalformedAnswer, "MALFORMED_ANSWER"),
    (httpx.Response(200, text='<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'), MalformedAnswer, "MALFORMED_ANSWER"),
    (httpx.ConnectError("no"), Unavailable, "ERP_UNREACHABLE"),
    (httpx.ReadTimeout("slow"), Unavailable, "ERP_NO_ANSWER"),
    (httpx.RemoteProtocolError("cut"), Unavailable, "ERP_NO_ANSWER"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "family", "code"), READS)
async def test_what_becomes_of_a_read(
    service: Service, answer: httpx.Response | Exception, family: type[ErpError], code: str
) -> None:
    """Reference 6.1, 6.3: by the fault's name, its code and its words."""
    service.script["search"] = answer
    with pytest.raises(ErpError) as caught:
        await service.connect().receipts.page(since=None, after=None)
    assert (type(caught.value), caught.value.code) == (family, code)
    assert (caught.value.retry_after is not None) == (family is Throttled)


IN_DOUBT = {"ERP_PROCESSING_ERROR", "ERP_OUTAGE", "ERP_NO_ANSWER", "MALFORMED_ANSWER", "ENDPOINT_REFUSED"}


@pytest.mark.parametrize(("answer", "family", "code"), READS)
async def test_what_becomes_of_a_write(
    service: Service, answer: httpx.Response | Exception, family: type[ErpError], code: str
) -> None:
    """A fault refused the whole request; an answer that is lost or broken leaves the write in doubt."""
    service.script |= {"getList": got(order(lines=[order_item()])), "add": answer}
    with pytest.raises(ErpError) as caught:
        await service.connect().bills.create(a_bill())
    if code == "UNKNOWN_ERP_ERROR":
        assert (type(caught.value), caught.value.code) == (UnknownRefusal, code)
    elif code in IN_DOUBT or (isinstance(answer, httpx.Response) and answer.status_code == 401):
        assert (type(caught.value), caught.value.code) == (OutcomeUnknown, "OUTCOME_UNKNOWN")
    else:
        assert (type(caught.value), caught.value.code) == (family, code)


async def test_a_fault_without_detail_leaves_a_write_in_doubt(service: Service) -> None:
    """Nothing says that it was refused before it was done."""
    text = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault><faultcode>x</faultcode>'
        "<faultstring>Oops</faultstring></e:Fault></e:Body></e:Envelope>"
    )
    service.script |= {"getList": got(order(lines=[order_item()])), "add": httpx.Response(500, text=text)}
    with pytest.raises(OutcomeUnknown):
        await service.connect().bills.create(a_bill())


# --- limits and secrets ----------------------------------------------------------------------------------------


async def test_calls_in_flight_are_limited_per_account(language: object) -> None:
    """Reference 6.3: one pool per account, over all connections of this process."""
    now, most = 0, 0

    async def slow(request: httpx.Request) -> httpx.Response:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.01)
        now -= 1
        return httpx.Response(503)

    def connect(entity: str) -> NetSuiteConnector:
        values = {**CREDENTIALS.values, "entity": entity}
        settings = ConnectionSettings(endpoint=ENDPOINT, max_in_flight=2)
        return NetSuiteConnector(settings, Credentials(values=values), transport=httpx.MockTransport(slow))

    connectors = [connect("1"), connect("2")]
    calls = [connector.receipts.page(since=None, after=None) for connector in connectors for _ in range(5)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
    assert most == 2
    for connector in connectors:
        await connector.close()


async def test_an_answer_that_drips_in_is_abandoned(language: object) -> None:
    """A timeout on every call, not only on every step of it."""

    async def dripping(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(5)
        return httpx.Response(200)

    settings = ConnectionSettings(endpoint=ENDPOINT, timeout_seconds=0.01)
    connector = NetSuiteConnector(settings, CREDENTIALS, transport=httpx.MockTransport(dripping))
    with pytest.raises(Unavailable) as caught:
        await connector.receipts.page(since=None, after=None)
    assert caught.value.code == "ERP_NO_ANSWER"
    await connector.close()


async def test_secrets_are_never_shown(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    """In no log, no exception, no repr."""
    caplog.set_level(logging.DEBUG)
    connector = service.connect()
    shown = [repr(connector)]
    for answer in (httpx.Response(503), fault("invalidCredentialsFault", "USER_ERROR", "Invalid login attempt.")):
        service.script["getServerTime"] = answer
        with pytest.raises(ErpError) as caught:
            await connector.orders.read(ErpId("101"))
        shown += [repr(caught.value), str(caught.value.evidence)]
    assert not [text for text in (*shown, caplog.text) for secret in SECRETS if secret in text]


# --- the WSDL --------------------------------------------------------------------------------------------------


async def test_the_wsdl_is_kept_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue 4: loaded once per process, host and version, and cached on disk; a broken copy is fetched anew."""
    files = {file.name: file for file in (WSDL, *XSDS)}
    fetched: list[str] = []

    def fetch(self: object, url: str) -> bytes:
        fetched.append(url)
        return files[url.rpartition("/")[2]].read_bytes()

    monkeypatch.setattr(soap, "user_cache_path", lambda name: tmp_path / name)
    monkeypatch.setattr(soap._Documents, "_fetch", fetch)
    where = address(ENDPOINT, allow_loopback=False)
    assert soap._read(where, 5)[0].version == "2023_2"
    documents = len(fetched)
    assert documents == len(files)
    assert soap._read(where, 5)[0].version == "2023_2"
    assert len(fetched) == documents, "the second process reads the disk"
    for kept in (tmp_path / "posync" / "netsuite" / where.host / "2023_2").iterdir():
        kept.write_bytes(kept.read_bytes()[: kept.stat().st_size // 2])
    assert soap._read(where, 5)[0].version == "2023_2"
    assert len(fetched) == 2 * documents


def test_a_wsdl_that_takes_too_long_is_abandoned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each document in time and the whole never: others wait for theirs meanwhile."""
    monkeypatch.setattr(soap, "user_cache_path", lambda name: tmp_path / name)
    monkeypatch.setattr(soap, "WHOLE_LOAD_SECONDS", -1)
    with pytest.raises(Unavailable) as caught:
        soap._read(address(ENDPOINT, allow_loopback=False), 5)
    assert caught.value.code == "ERP_NO_ANSWER"


def test_a_wsdl_that_leads_elsewhere_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It says where secrets go, so all its parts come from NetSuite's hosts."""
    text = (
        '<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" targetNamespace="urn:x">'
        '<import namespace="urn:y" location="https://example.org/y.wsdl"/></definitions>'
    )
    monkeypatch.setattr(soap, "user_cache_path", lambda name: tmp_path / name)
    monkeypatch.setattr(soap._Documents, "_fetch", lambda self, url: text.encode())
    with pytest.raises(MalformedAnswer):
        soap._read(address(ENDPOINT, allow_loopback=False), 5)


async def test_what_one_hosts_description_says_is_never_anothers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: soap.Soap
) -> None:
    """G12: kept per host, in memory and on disk. Hosts that serve the same share the memory."""
    files = {file.name: file for file in (WSDL, *XSDS)}
    fetched: list[str] = []

    def fetch(self: object, url: str) -> bytes:
        fetched.append(urlsplit(url).netloc)
        content = files[url.rpartition("/")[2]].read_bytes()
        return content.replace(b"tranId", b"wrongId") if "rogue" in url else content

    monkeypatch.setattr(soap, "user_cache_path", lambda name: tmp_path / name)
    monkeypatch.setattr(soap._Documents, "_fetch", fetch)
    monkeypatch.setattr(soap, "_loaded", {})
    monkeypatch.setattr(soap, "_same", {})
    hosts = ["rogue.suitetalk.api.netsuite.com", "one.suitetalk.api.netsuite.com", "two.suitetalk.api.netsuite.com"]
    rogue, one, two = [
        await soap.language(address(f"https://{host}/services/NetSuitePort_2023_2", allow_loopback=False))
        for host in hosts
    ]
    assert set(fetched) == set(hosts), "each is asked for its own"
    one.make("purchases", "VendorBill", tranId="INV-1")
    with pytest.raises(TypeError):
        rogue.make("purchases", "VendorBill", tranId="INV-1")
    assert one is two
    assert {folder.name for folder in (tmp_path / "posync" / "netsuite").iterdir()} == set(hosts)


def test_a_description_does_not_lead_to_another_customers_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """G12: NetSuite's hosts are all trusted with secrets of their own account, not with another one's description."""
    text = (
        '<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" targetNamespace="urn:x">'
        '<import namespace="urn:y" location="https://rogue.suitetalk.api.netsuite.com/y.wsdl"/></definitions>'
    )
    monkeypatch.setattr(soap, "user_cache_path", lambda name: tmp_path / name)
    monkeypatch.setattr(soap._Documents, "_fetch", lambda self, url: text.encode())
    with pytest.raises(MalformedAnswer) as caught:
        soap._read(address(ENDPOINT, allow_loopback=False), 5)
    assert "rogue" in caught.value.message
