"""Faults on demand at the doors: what stops a call before anything is done, and what spoils its answer afterwards."""

from collections.abc import Sequence
from datetime import datetime

from sandbox.faults import Rule
from sandbox.quickbooks_online import tampering
from sandbox.quickbooks_online.errors import FaultType, Refused
from sandbox.quickbooks_online.fault_bodies import (
    fault_answer,
    gateway_xml,
    quota_used_up,
    sign_in_answer,
    throttled,
)
from sandbox.quickbooks_online.resources import Spoiling
from sandbox.quickbooks_online.values import answered_at
from sandbox.responses import MAINTENANCE_PAGE, Answer, ConnectionCut
from sandbox.switches import Switches

BEFORE = frozenset(
    [
        *("throttled", "unavailable", "html_error", "offline", "lost_request", "session_expired", "system_fault"),
        *("fault_in_200", "wrong_realm", "quota_used_up", "permission_denied", "refused", "unknown_error"),
    ]
)
AFTER = frozenset(
    [
        *("lost_answer", "gateway_timeout", "truncated", "stalled", "malformed", "error_after_commit"),
        *("bad_request", "empty_answer", "status_missing"),
    ]
)
DURING = tampering.KINDS | {"link_dropped", "row_moved"}
_HTML = "text/html; charset=UTF-8"
_SYSTEM = ("10000", "An application error has occurred while processing your request")


def stopped(rule: Rule, switches: Switches, moment: datetime) -> Answer:
    """The answer of a call that a fault stops before anything is done. Raises ConnectionCut."""
    if rule.kind == "lost_request":
        raise ConnectionCut
    if rule.kind == "throttled":
        return throttled(switches, moment)
    if rule.kind == "quota_used_up":
        return quota_used_up(switches, moment)
    if rule.kind == "session_expired":
        return sign_in_answer(switches, moment, "3200", "Token expired")
    if rule.kind == "wrong_realm":
        return sign_in_answer(switches, moment, "3100", "The application is not authorized for this company")
    if rule.kind in ("unavailable", "html_error"):
        return Answer(MAINTENANCE_PAGE, 503 if rule.kind == "unavailable" else 200, _HTML)
    return fault_answer(_refusal(rule), moment)


def _refusal(rule: Rule) -> Refused:
    if rule.kind == "offline":
        return Refused("150", "Company under maintenance", "The company is under maintenance.", fault="ServiceFault")
    if rule.kind == "permission_denied":
        return Refused("5020", "Permission Denied Error", "Permission Denied Error", fault="AuthorizationFault")
    if rule.kind == "unknown_error":
        return Refused("99999", "An error nobody knows", rule.message)
    code = rule.errorno or ("6000" if rule.kind == "refused" else _SYSTEM[0])
    message = "A business validation error has occurred" if rule.kind == "refused" else _SYSTEM[1]
    fault: FaultType = "ValidationFault" if rule.kind == "refused" or rule.errorno else "SystemFault"
    status = 200 if rule.kind == "fault_in_200" else 500 if rule.kind == "system_fault" else 0
    return Refused(code, message, rule.message, fault=fault, status=status)


def spoiled(answer: Answer, rule: Rule, moment: datetime) -> Answer:
    """An answer that a fault spoils after the work is done. Raises ConnectionCut."""
    if rule.kind == "lost_answer":
        raise ConnectionCut
    if rule.kind == "error_after_commit":
        return fault_answer(Refused(*_SYSTEM, rule.message, fault="SystemFault"), moment)
    if rule.kind == "gateway_timeout":
        return gateway_xml(moment, "6002", 504, "GatewayTimeout", "The server did not answer in time.")
    if rule.kind == "stalled":
        return answer._replace(stall_seconds=rule.seconds or 3600)
    if rule.kind == "malformed":
        return answer._replace(body=f"An unexpected error occurred: {rule.message}")
    if rule.kind == "bad_request":
        return Answer("<html><body>400 Bad Request</body></html>", 400, _HTML)
    if rule.kind == "empty_answer":
        return answer._replace(body="")
    if rule.kind == "status_missing":
        return answer._replace(body=f'{{"time":"{answered_at(moment)}"}}')
    return answer._replace(body=answer.body[: len(answer.body) // 2])


def during(rules: Sequence[Rule]) -> Spoiling:
    """What faults do to the work of a call."""
    kinds = {rule.kind for rule in rules}
    records = [rule for rule in rules if rule.kind in tampering.KINDS]
    return Spoiling("link_dropped" in kinds, "row_moved" in kinds, records)
