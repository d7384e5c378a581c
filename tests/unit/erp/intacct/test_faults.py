"""The error table: every row of reference 6.2, and what becomes of codes nobody knows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from erp import errors
from erp.errors import (
    AuthenticationFailed,
    Duplicate,
    ErpError,
    OutcomeUnknown,
    Rejected,
    Throttled,
    Unavailable,
    UnknownRefusal,
)
from erp.intacct import faults
from erp.intacct.faults import FAULTS, ErrorText, Where, read_errors, to_error
from erp.registry import ISSUES, issue_code
from models.domain.connections import Erp
from models.domain.issues import ADMINISTRATOR, ISSUE_CODES, NOBODY
from tests.fakes.intacct_gateway import (
    error,
)

ERP = Path(faults.__file__).parents[1]


@pytest.mark.parametrize(
    ("errorno", "where", "words", "family", "code"),
    [
        ("XL03000003", "control", "XML does not parse", Rejected, "REQUEST_NOT_UNDERSTOOD"),
        ("XL03000006", "authentication", "Sign-in information is incorrect", AuthenticationFailed,
         "AUTH_BAD_CREDENTIALS"),
        ("XL03000006", "authentication", "Your session has expired", AuthenticationFailed, "AUTH_SESSION_REFUSED"),
        ("XL03000006", "authentication", "Invalid Web Services Authorization", AuthenticationFailed,
         "AUTH_SENDER_NOT_AUTHORISED"),
        ("XL03000006", "control", "Invalid Web Services Authorization", AuthenticationFailed,
         "AUTH_SENDER_NOT_AUTHORISED"),
        ("XL03000006", "control", "Incorrect Intacct XML Partner ID or password.", AuthenticationFailed,
         "AUTH_BAD_SENDER"),
        ("XL03000006", "control", "Unknown transport policy", Rejected, "REQUEST_NOT_UNDERSTOOD"),
        ("XL03000006", "function", "Fields: FOO, BAR cannot be queried", Rejected, "FIELD_NOT_READABLE"),
        ("XL03000009", "function", "rolled back", Rejected, "ROLLED_BACK"),
        ("XMLGW_JPP0002", "http", "incorrect", AuthenticationFailed, "AUTH_BAD_SENDER"),
        ("UJPP0002", "control", "incorrect", AuthenticationFailed, "AUTH_BAD_SENDER"),
        ("GW-0010", "http", "", Throttled, "ERP_THROTTLED"),
        ("GW-0011", "http", "", Rejected, "REQUEST_NOT_UNDERSTOOD"),
        ("invalidRequest", "http", "", Rejected, "REQUEST_NOT_UNDERSTOOD"),
        ("PL04000005", "function", "no permission", AuthenticationFailed, "PERMISSION_DENIED"),
        ("PL04000055", "authentication", "company expired", AuthenticationFailed, "AUTH_COMPANY_EXPIRED"),
        ("PL03000006", "function", "invalid date", Rejected, "DATE_REFUSED"),
        ("PL01000127", "function", "number missing", Rejected, "DOCUMENT_NUMBER_MISSING"),
        ("PL05000104", "function", "exists", Duplicate, "ALREADY_EXISTS"),
        ("BL01001973", "function", "Could not create Document record!", Rejected, "RECORD_REFUSED"),
        ("BL01001973", "function", "Account 6100 already exists", Duplicate, "ALREADY_EXISTS"),
        ("BL01001973", "function", "cannot be created at the top level", Rejected, "TEMPLATE_NOT_AT_THIS_LEVEL"),
        ("BL03000018", "function", "Missing unit", Rejected, "VALUE_REFUSED"),
        ("BL03002185", "function", "exists", Duplicate, "ALREADY_EXISTS"),
        ("BL34000061", "function", "another", Duplicate, "ALREADY_EXISTS"),
        ("BL03002128", "function", "", Rejected, "BILL_NUMBER_REQUIRED"),
        ("BL03002101", "function", "", Rejected, "LINE_COUNT_DIFFERS"),
        ("BL03002129", "function", "", Rejected, "REQUEST_NOT_UNDERSTOOD"),
        ("BL03002028", "function", "", Rejected, "NO_DATA"),
        ("DL02000001", "function", "There was an error processing the request.", Unavailable, "ERP_PROCESSING_ERROR"),
        ("Query Failed", "function", "", Rejected, "QUERY_REFUSED"),
        ("Invalid fields list FOO", "function", "", Rejected, "FIELD_NOT_READABLE"),
        ("GL-0493", "function", "", Duplicate, "ALREADY_EXISTS"),
        ("GL-0504", "function", "", Rejected, "ACCOUNT_REFUSED"),
        ("GL-0951", "function", "", Rejected, "ACCOUNT_REFUSED"),
        ("GL-1009", "function", "", Rejected, "ACCOUNT_REFUSED"),
        ("AR-0148", "function", "", Rejected, "RECEIVABLE_REFUSED"),
        ("AR-0279", "function", "", Rejected, "RECEIVABLE_REFUSED"),
        ("", "function", "A successful transaction has already been recorded with the control id b-1", Duplicate,
         "ALREADY_SENT"),
        ("BL01", "function", "Periods are closed, enter a date on or after 07/01/2031", Rejected, "PERIOD_CLOSED"),
        ("PL03000006", "function", "The period is closed", Rejected, "PERIOD_CLOSED"),
        ("X", "function", "Location ID is required", Rejected, "LOCATION_MISSING"),
        ("X", "function", "Required field Project is missing", Rejected, "REQUIRED_FIELD_MISSING"),
        ("X", "function", "Transaction 7 is already paid and can't be deleted", Rejected, "ALREADY_PAID"),
        ("X", "function", "Multivisibility is not subscribed", Rejected, "MULTI_ENTITY_NOT_SUBSCRIBED"),
        ("X", "function", "API rate limit exceeded", Throttled, "ERP_THROTTLED"),
        ("", "control", "The Service is Temporarily Off-line", Unavailable, "ERP_MAINTENANCE"),
        ("X", "function", "Please Try Again Later", Unavailable, "ERP_BUSY"),
    ],
)  # fmt: skip
def test_every_row(errorno: str, where: Where, words: str, family: type[ErpError], code: str) -> None:
    """Reference 6.2, row by row, with the texts whose number varies."""
    found = to_error([ErrorText(errorno, words)], where, writing=False)
    assert (type(found), found.code, found.erp_code) == (family, code, errorno or None)
    assert (found.retry_after is not None) == (family is Throttled)


@pytest.mark.parametrize("errorno", ["DL02000001"])
def test_a_processing_error_on_a_write_is_in_doubt(errorno: str) -> None:
    """Reference 6.3: repeat it on reads, look up first on writes."""
    assert type(to_error([ErrorText(errorno, "")], "function", writing=True)) is OutcomeUnknown


def test_the_specific_error_decides_not_the_generic_tail() -> None:
    """Reference 6.1: specific first, generic last."""
    arguments = [ErrorText("BL03000018", "Missing unit"), ErrorText("BL01001973", "Could not create Document record!")]
    assert to_error(arguments, "function", writing=True).code == "VALUE_REFUSED"
    assert to_error(arguments[::-1], "function", writing=True).code == "VALUE_REFUSED"


def test_an_unknown_code_is_an_issue_with_all_evidence() -> None:
    """An unmapped code is itself an issue, never a silent default; a smart rule speaks in the customer's own words."""
    arguments = [ErrorText("ZZ99", "Ask Mary first", (), "[Support ID: q]"), ErrorText("XL03000009", "rolled back")]
    found = to_error(arguments, "function", writing=True)
    assert (type(found), found.code, found.erp_code) == (UnknownRefusal, "UNKNOWN_ERP_ERROR", "ZZ99")
    assert type(to_error(arguments, "function", writing=False)) is Rejected
    assert "Ask Mary first" in found.message
    assert found.evidence["error_1"] == "ZZ99 Ask Mary first [Support ID: q]"
    assert "XL03000009" in found.evidence["error_2"]


def test_no_error_at_all_is_an_unknown_one() -> None:
    """A failure that says nothing is still a failure."""
    assert to_error([], "function", writing=True).code == "UNKNOWN_ERP_ERROR"


def test_errors_are_read_as_the_gateway_writes_them() -> None:
    """Reference 6.1: support ids apart, entities decoded, machine-readable ids found."""
    body = (
        "<result>"
        + error("BL03000018", "Can&#039;t find unit [Support ID: abc%7Edef]")
        .replace("&amp;#039;", "&amp;#039;")
        .replace("<correction/>", "<correction>Provide a unit.</correction>"
                 "<additionalinfo><error><errorid>GL-0504</errorid></error></additionalinfo>")
        + "</result>"
    )  # fmt: skip
    (found,) = read_errors(etree.fromstring(body))
    assert found == ErrorText("BL03000018", "Can't find unit Provide a unit.", ("GL-0504",), "[Support ID: abc%7Edef]")


def test_no_two_rows_match_alike() -> None:
    """Two rows for one number, place and text would hide one another."""
    keys = [(row.errorno, row.where, row.text) for row in FAULTS]
    assert len(keys) == len(set(keys))


def _codes_in(path: Path) -> Iterator[str]:
    """Codes by the places they are given at: `code=`, table rows, and the raisers of bad records and problems."""
    positions = {"Unusable": 0, "_problem": 0, "Fault": 4, "_uniform": 2}
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        arguments = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name == "SetupCheck":  # it says by itself why, and what to do
            continue
        if name in positions:
            arguments.append(node.args[positions[name]])
        for value in arguments:
            for inner in ast.walk(value):
                if isinstance(inner, ast.Constant) and isinstance(inner.value, str) and inner.value.isupper():
                    yield inner.value


def test_every_code_used_is_explained() -> None:
    """DESIGN principle 4: every refusal explains itself."""
    own = {erp: {code for path in (ERP / erp.value).rglob("*.py") for code in _codes_in(path)} for erp in Erp}
    for erp, codes in own.items():
        assert codes <= ISSUE_CODES.keys() | ISSUES[erp].keys(), erp
    used = set().union(*own.values())
    assert {"MIXED_ENTITY", "TEMPLATE_UNKNOWN", "ENDPOINT_NOT_TRUSTED", "PERIOD_CLOSED"} <= used
    shared = {code for path in ERP.glob("*.py") for code in _codes_in(path)}
    assert shared <= ISSUE_CODES.keys()


def test_every_explanation_is_whole() -> None:
    """Title, cause, steps and who."""
    for code, row in (item for table in (ISSUE_CODES, *ISSUES.values()) for item in table.items()):
        assert row.code == code
        assert all((row.title, row.cause, row.fix, *row.fix)), code
        assert row.who in (ADMINISTRATOR, "accountant", "support", NOBODY), code


def test_an_erps_own_words_come_first() -> None:
    """A person is sent to the screens of their ERP; where no ERP is named, the shared words are used."""
    assert "Order Management" in issue_code("NOT_RECEIVED", Erp.NETSUITE).fix[1]
    assert issue_code("NOT_RECEIVED", Erp.INTACCT) == ISSUE_CODES["NOT_RECEIVED"] == issue_code("NOT_RECEIVED")
    assert issue_code("TEMPLATE_UNKNOWN") == ISSUES[Erp.INTACCT]["TEMPLATE_UNKNOWN"]


def test_shared_words_name_no_erp() -> None:
    """An ERP's own words are in its folder."""
    for row in ISSUE_CODES.values():
        assert not re.search("Intacct|NetSuite|QuickBooks", " ".join((row.title, row.cause, *row.fix))), row.code


def test_a_step_names_what_the_evidence_says() -> None:
    steps = issue_code("LINK_DISAGREES").steps({"linked": "PO-1", "reference": "PO-2"})
    assert steps[0] == "If PO-1 is right, change the reference number of the bill in the ERP to PO-1."


def test_a_code_without_a_row_is_shown_as_unknown() -> None:
    """Its own name is kept, so that support can find it."""
    assert issue_code("NEVER_SEEN").code == "NEVER_SEEN"
    assert issue_code("NEVER_SEEN").fix == ISSUE_CODES["UNKNOWN_ERP_ERROR"].fix


def test_families_say_whether_to_repeat() -> None:
    """DESIGN section 6: what waits, and what a person settles."""
    repeated = {
        name for name, kind in vars(errors).items() if isinstance(kind, type) and kind.__dict__.get("retryable")
    }
    assert repeated == {
        "AuthenticationFailed", "Throttled", "Unavailable", "Deferred", "OutcomeUnknown", "Stale", "MalformedAnswer"
    }  # fmt: skip
