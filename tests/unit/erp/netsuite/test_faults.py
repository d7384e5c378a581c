"""Every code of the reference's tables has a family, a code of ours and steps to take (reference 6)."""

import pytest
from lxml import etree

from erp.errors import (
    Duplicate,
    ErpError,
    MalformedAnswer,
    NotFound,
    OutcomeUnknown,
    Rejected,
    Stale,
    Throttled,
    Unavailable,
)
from erp.netsuite import answers, faults, wire
from erp.registry import ISSUES, issue_code
from models.domain.connections import Erp
from models.domain.issues import ISSUE_CODES

FAULT_CODES = """
ACCT_TEMP_UNAVAILABLE EMAIL_ADDRS_REQD INSUFFICIENT_PERMISSION INVALID_ACCT INVALID_JOB_ID
INVALID_LOGIN_CREDENTIALS INVALID_PAGE_INDEX INVALID_ROLE INVALID_WS_VERSION JOB_NOT_COMPLETE LOGIN_DISABLED
MAX_RCRDS_EXCEEDED OI_FEATURE_REQD OI_PERMISSION_REQD PSWD_REQD ROLE_REQUIRED SESSION_TIMED_OUT
UNEXPECTED_ERROR UNSUPPORTED_WS_VERSION USER_ERROR WS_CONCUR_SESSION_DISALLWD WS_FEATURE_REQD WS_LOG_IN_REQD
WS_PERMISSION_REQD WS_REQUEST_BLOCKED
"""

STATUS_CODES = """
RCRD_DSNT_EXIST DUP_RCRD DUP_ITEM DUP_ENTITY DUP_VENDOR_NAME DUP_TRANS UNIQUE_CUST_ID_REQD UNIQUE_RCRD_ID_REQD
EXTERNALID_REQD EXTERNALID_NOT_SUPPORTED NONEXISTENT_EXTERNAL_ID INVALID_KEY_OR_REF INVALID_REF_KEY
INVALID_TRANS_ID ORDER_DSNT_EXIST INVALID_TRANS_SUB_ACCT INVALID_TRANS_SUB_CLASS INVALID_TRANS_SUB_DEPT
INVALID_TRANS_SUB_ENTITY INVALID_TRANS_SUB_ITEM INVALID_TRANS_SUB_LOC INVALID_INITIALIZE_REF
VALID_LINE_ITEM_REQD USER_ERROR MISSING_REQD_FLD QTY_REQD NONZERO_QTY_REQD POSITIVE_QTY_REQD INVALID_QTY
OVER_FULFILL_RECEIV_DISALLWD OVERAGE_DISALLWD CANT_UPDATE_LINKED_TRANS_LINES CANT_DELETE_TRAN_LINE
CANT_DELETE_TRANS INSUFFICIENT_PERMISSION RCRD_HAS_BEEN_CHANGED CANT_UPDATE_RECRD_HAS_CHANGED
RCRD_DELETED_SINCE_RETRIEVED RCRD_LOCKED_BY_WF CLOSED_TRAN_PRD TRAN_PERIOD_CLOSED TRAN_PRD_CLOSED
INVALID_ACCT_PRD MISMATCHED_CURRENCY INVALID_CURRENCY_CODE ACTIVE_AP_ACCT_REQD INVALID_JOB_ID INVALID_SEARCH
INVALID_SEARCH_MORE INVALID_SEARCH_OPERATOR INVALID_SEARCH_VALUE INVALID_SEARCH_PAGE_INDEX
INVALID_SEARCH_PAGE_SIZE INVALID_SEARCH_PREF SEARCH_TIMED_OUT ABORT_SEARCH_EXCEEDED_MAX_TIME
CONCUR_SEARCH_DISALLWD EXCEEDED_MAX_TRANS_LINES EXCEEDED_MAX_FIELD_LENGTH EXCEEDED_RQST_SIZE_LIMIT
SSS_REQUEST_LIMIT_EXCEEDED CONCURRENCY_LIMIT_EXCEEDED EXCEEDED_MAX_CONCUR_RQST WS_EXCEEDED_CONCUR_USERS_ALLWD
WS_REQUEST_BLOCKED SSS_USAGE_LIMIT_EXCEEDED SSS_TIME_LIMIT_EXCEEDED UNEXPECTED_ERROR UNEXPECTED_FAILURE
ACCT_TEMP_UNAVAILABLE FEATURE_DISABLED FEATURE_UNAVAILABLE WS_FEATURE_REQD INVALID_RCRD_TYPE
INVALID_RCRD_INITIALIZE LINK_LINES_TO_ONE_ORD INVALID_LOGIN_ATTEMPT
"""


@pytest.mark.parametrize("code", sorted({*FAULT_CODES.split(), *STATUS_CODES.split()}))
def test_every_code_is_known(code: str) -> None:
    """Reference 6.1, 6.2: a row each, with steps a person can take."""
    error = faults.to_error(code, "", writing=False)
    assert error.code != "UNKNOWN_ERP_ERROR"
    assert issue_code(error.code, Erp.NETSUITE).fix
    assert error.erp_code == code


def test_every_row_has_steps() -> None:
    """DESIGN 6: also those that words decide."""
    rows = [*faults.CODES.values(), *(said for _, _, said in faults.TEXTS)]
    assert {row.code for row in rows} <= ISSUE_CODES.keys() | ISSUES[Erp.NETSUITE].keys()


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("USER_ERROR", "Please enter value(s) for: Item", "REQUIRED_FIELD_MISSING"),
        ("USER_ERROR", "The transaction date is in a closed period.", "PERIOD_CLOSED"),
        ("USER_ERROR", "The quantity exceeds what was received.", "NOT_RECEIVED"),
        ("USER_ERROR", "Nothing has been received on this order.", "NOT_RECEIVED"),
        ("USER_ERROR", "The quantity exceeds what was not billed yet.", "ALREADY_CONVERTED"),
        ("USER_ERROR", "Permission Violation: You need the 'Bills' permission.", "PERMISSION_DENIED"),
        ("USER_ERROR", "Invalid entity reference key 5.", "VALUE_REFUSED"),
        ("USER_ERROR", "Our script says no.", "COMPANY_RULE_REFUSED"),
        ("INSUFFICIENT_PERMISSION", "Permission Violation: You need ...", "PERMISSION_DENIED"),
        ("SOMETHING", "java.lang.NullPointerException", "ERP_PROCESSING_ERROR"),
        ("NOBODY_MET_THIS", "Hm.", "UNKNOWN_ERP_ERROR"),
    ],
)
def test_words_decide_where_codes_do_not(code: str, message: str, expected: str) -> None:
    """USER_ERROR is NetSuite's catch-all; its words tell."""
    error = faults.to_error(code, message, writing=False)
    assert (error.code, error.evidence["said"]) == (expected, message)


@pytest.mark.parametrize(
    ("code", "reading", "writing"),
    [
        ("UNEXPECTED_ERROR", Unavailable, OutcomeUnknown),
        ("ACCT_TEMP_UNAVAILABLE", Unavailable, Unavailable),
        ("DUP_RCRD", Duplicate, Duplicate),
        ("RCRD_DSNT_EXIST", NotFound, Rejected),
        ("RCRD_HAS_BEEN_CHANGED", Stale, Stale),
        ("RCRD_LOCKED_BY_WF", Throttled, Throttled),
        ("WS_REQUEST_BLOCKED", Throttled, Throttled),
    ],
)
def test_what_a_code_leaves_of_a_write(code: str, reading: type[ErpError], writing: type[ErpError]) -> None:
    """Section 7: after an unexpected error a write is looked up first; a blocked one was never done."""
    assert type(faults.to_error(code, "", writing=False)) is reading
    assert type(faults.to_error(code, "", writing=True)) is writing


def test_the_first_known_error_decides() -> None:
    """Several details may come back; a generic one beside a known one does not hide it."""
    details = (
        wire.Detail("", "", "ERROR"),
        wire.Detail("NOBODY_MET_THIS", "Hm.", "ERROR"),
        wire.Detail("CLOSED_TRAN_PRD", "Closed.", "ERROR"),
        wire.Detail("WARNING", "A duplicate number.", "WARN"),
    )
    error = faults.refusal(wire.Status(False, details), writing=True)
    assert error.code == "PERIOD_CLOSED"
    assert "NOBODY_MET_THIS" in str(error.evidence)
    assert faults.refusal(wire.Status(False, ()), writing=True).code == "UNKNOWN_ERP_ERROR"


@pytest.mark.parametrize("writing", [False, True])
def test_a_request_that_could_not_be_read_has_done_nothing(writing: bool) -> None:
    """E10: the detail of such a fault holds the host name alone; any other text leaves a write in doubt."""
    fault = (
        '<f:Fault xmlns:f="http://schemas.xmlsoap.org/soap/envelope/"><faultstring>{}</faultstring><detail>'
        '<n:hostname xmlns:n="http://xml.apache.org/axis/">partners01</n:hostname></detail></f:Fault>'
    )
    unread = answers.fault_error(etree.fromstring(fault.format("org.xml.sax.SAXException: x")), writing=writing)
    assert (type(unread), unread.code) == (Rejected, "REQUEST_NOT_UNDERSTOOD")
    other = answers.fault_error(etree.fromstring(fault.format("java.lang.NullPointerException")), writing=writing)
    assert type(other) is (OutcomeUnknown if writing else MalformedAnswer)
