"""Faults on demand: rules that break a pretend ERP in one named way, by operation and count or chance (DESIGN 9)."""

import random
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from sandbox.clock import Clock

KINDS: Mapping[str, str] = {
    "lost_answer": "the work is done, then the connection is cut without an answer",
    "lost_request": "the connection is cut before anything is done",
    "unavailable": "HTTP 503 with an HTML page; nothing is done; `seconds` limits the outage",
    "gateway_timeout": "the work is done, then HTTP 524; QuickBooks Online: 504 in XML",
    "bad_request": "the work is done, then HTTP 400 with the page of a proxy",
    "empty_answer": "the work is done, then an answer with nothing in it; QuickBooks Online: HTTP 200 without a body",
    "status_missing": "the work is done, and no status or record in the answer says so",
    "throttled": "too many calls; with `per_minute` only above that many; `seconds` gives Intacct's Retry-After",
    "session_expired": "the session used ends before its time",
    "truncated": "the work is done, half of the answer arrives",
    "stalled": "the work is done, half of the answer arrives, then nothing for `seconds`",
    "malformed": "the work is done, the answer is not XML or JSON",
    "html_error": "HTTP 200 with an HTML page; nothing is done",
    "offline": "the service says that it is under maintenance; nothing is done; `seconds` limits it",
    "link_dropped": "a document is accepted, but not linked to what it was converted from",
    "slow": "the answer takes `seconds`",
    "permission_denied": "the user may not do this on `object`",
    "refused": "a function fails with the given `errorno` and `message`; nothing is done",
    "unknown_error": "an error number nobody knows",
    "soap_fault": "NetSuite: a SOAP fault with `errorno` and `message`; nothing is done",
    "login_refused": "NetSuite: a right passport is refused",
    "error_after_commit": "the work is done, then UNEXPECTED_ERROR or HTTP 500 is answered",
    "after_submit_failed": "NetSuite: a record is saved, but a script after saving it failed",
    "job_lost": "NetSuite: a searchId ends before its time",
    "short_page": "a page lacks its last record",
    "system_fault": "QuickBooks Online: HTTP 500 with a SystemFault; nothing is done",
    "fault_in_200": "QuickBooks Online: a fault of `errorno` inside HTTP 200; nothing is done",
    "wrong_realm": "QuickBooks Online: HTTP 403 with 3100; nothing is done",
    "quota_used_up": "QuickBooks Online: the month's reads are used up; nothing is done",
    "numbers_as_text": "QuickBooks Online: the numbers of records arrive as text",
    "killed_before": "QuickBooks Desktop: the Web Connector ends before the SOAP call named `operation`",
    "killed_after": "QuickBooks Desktop: the Web Connector ends after the SOAP call named `operation`",
    "repeated_call": "QuickBooks Desktop: the SOAP call named `operation` is sent twice",
    "other_ticket": "QuickBooks Desktop: the SOAP call named `operation` carries a ticket that nobody gave",
    "late_call": "QuickBooks Desktop: the SOAP call named `operation` is sent once more after the update ended",
    "unknown_element": "QuickBooks Desktop: a record has an element nobody knows; `record` picks one",
    "unknown_state": "records show an unknown STATE; `record` picks one",
    "missing_field": "a mandatory field is absent; `record` picks one, else the page's first",
    "duplicate_row": "a row comes twice; `record` picks one, else the page's first",
    "row_moved": "a row is changed between two pages of a query",
}
ONLY: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("soap_fault", "login_refused", "after_submit_failed", "job_lost"), frozenset(["netsuite"])),
    **dict.fromkeys(
        ("error_after_commit", "short_page"), frozenset(["netsuite", "quickbooks_online", "quickbooks_desktop"])
    ),
    **dict.fromkeys(
        ("killed_before", "killed_after", "repeated_call", "other_ticket", "late_call", "unknown_element"),
        frozenset(["quickbooks_desktop"]),
    ),
    **dict.fromkeys(
        ("system_fault", "fault_in_200", "wrong_realm", "quota_used_up", "numbers_as_text"),
        frozenset(["quickbooks_online"]),
    ),
}
"""The kinds that not every ERP has, with those that have them."""
READS = frozenset(
    [
        *("query", "readByQuery", "readMore", "read", "readByName", "lookup", "inspect"),
        *("get", "getList", "getAll", "search", "searchMoreWithId", "getDeleted", "suiteql"),
        *("cdc", "report", "pdf", "download"),
    ]
)
NOT_WRITES = READS | frozenset(
    [
        "getAPISession",
        "get_companyprefs",
        "get_applications",
        "get_closedbooksdate",
        "getFinancialSetup",
        "readEntityDetails",
        "readUserFormatting",
        "getUserPermissions",
        "getApprovalHistory",
        "initialize",
        "initializeList",
        "getServerTime",
        "getDataCenterUrls",
        "getAccountGovernanceInfo",
        "getIntegrationGovernanceInfo",
        *("discovery", "authorize", "token", "revoke", "userinfo", "keys"),
        *("serverVersion", "clientVersion", "authenticate", "open", "sendRequestXML", "receiveResponseXML"),
        *("connectionError", "getLastError", "closeConnection", "unreadable"),
    ]
)


class Operation(NamedTuple):
    """One function of a request and the object it concerns, if any."""

    name: str
    object: str


@dataclass
class Rule:
    """One fault. `operation` is a function's name, `*`, `reads` or `writes`."""

    kind: str
    erp: str = "intacct"
    operation: str = "*"
    object: str = ""
    times: int | None = None
    after: int = 0
    probability: float = 1.0
    seconds: float = 0.0
    per_minute: int = 0
    record: str = ""
    errorno: str = ""
    message: str = "There was an error processing the request."
    fired: int = field(default=0)
    seen: int = field(default=0)

    def matches(self, operation: Operation) -> bool:
        """Whether this function is one the rule is about."""
        if self.object and self.object.upper() != operation.object.upper():
            return False
        if self.operation == "reads":
            return operation.name in READS or operation.name.endswith("Query")
        if self.operation == "writes":
            return operation.name not in NOT_WRITES and not operation.name.endswith("Query")
        return self.operation in ("*", operation.name)


class BadRule(ValueError):
    """The rule cannot be understood."""


class Faults:
    """The rules in force. The seed makes chances repeatable."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.clear()

    def clear(self) -> None:
        """No faults from now on."""
        self.rules: list[Rule] = []
        self._since: dict[int, float] = {}
        self._recent: deque[float] = deque()
        self.seed = 0
        self._random = random.Random(0)

    def add(self, rules: Sequence[Mapping[str, Any]], seed: int | None = None) -> None:
        """All of the rules, or none when one is wrong. Raises BadRule."""
        made = [_rule(fields) for fields in rules]
        if seed is not None:
            self.seed = seed
            self._random = random.Random(seed)
        for rule in made:
            self._since[id(rule)] = self._clock.now().timestamp()
            self.rules.append(rule)

    def strike(self, erp: str, operations: Sequence[Operation], kinds: frozenset[str]) -> list[Rule]:
        """The rules of these kinds that hit a request with these operations; each counts as fired."""
        if not self.rules:
            return []
        hit = []
        for rule in self.rules:
            if rule.kind not in kinds or rule.erp != erp or not any(rule.matches(one) for one in operations):
                continue
            if self._fires(rule):
                hit.append(rule)
        return hit

    def _fires(self, rule: Rule) -> bool:
        now = self._clock.now().timestamp()
        lasting = rule.kind in ("unavailable", "offline") and rule.seconds
        if lasting and now >= self._since[id(rule)] + rule.seconds:
            return False
        rule.seen += 1
        if rule.seen <= rule.after:
            return False
        if rule.times is not None and rule.fired >= rule.times:
            return False
        if rule.per_minute:
            while self._recent and self._recent[0] <= now - 60:
                self._recent.popleft()
            if len(self._recent) < rule.per_minute:
                self._recent.append(now)
                return False
        if rule.probability < 1 and self._random.random() >= rule.probability:
            return False
        rule.fired += 1
        return True

    def describe(self) -> dict[str, object]:
        """What `GET /sandbox/faults` shows."""
        return {"seed": self.seed, "rules": [asdict(rule) for rule in self.rules], "kinds": dict(KINDS)}


def _rule(fields: Mapping[str, Any]) -> Rule:
    known = set(Rule.__dataclass_fields__) - {"fired", "seen"}
    unknown = set(fields) - known
    if unknown:
        raise BadRule(f"unknown field {sorted(unknown)[0]!r}; a rule has {', '.join(sorted(known))}")
    having = ONLY.get(str(fields.get("kind")))
    if having is not None and fields.get("erp", "intacct") not in having:
        raise BadRule(f"{fields['kind']} is not a fault of that ERP; give erp: {' or '.join(sorted(having))}")
    if fields.get("kind") not in KINDS:
        raise BadRule(f"unknown kind {fields.get('kind')!r}; kinds are {', '.join(KINDS)}")
    try:
        rule = Rule(**fields)
        rule.object = rule.object or ""
        if not 0 <= rule.probability <= 1 or rule.seconds < 0 or rule.after < 0 or (rule.times or 0) < 0:
            raise BadRule("probability is from 0 to 1; seconds, after and times are zero or more")
    except TypeError as error:
        raise BadRule(str(error)) from None
    return rule
