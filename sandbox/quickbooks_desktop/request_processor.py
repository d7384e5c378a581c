"""QuickBooks itself as an application meets it: a session with a company file that answers qbXML documents."""

from typing import NamedTuple

from lxml import etree

from sandbox.calls import Calls
from sandbox.faults import Faults, Operation, Rule
from sandbox.quickbooks_desktop import lists, message_sets, wire_out, writing
from sandbox.quickbooks_desktop.company import Company
from sandbox.quickbooks_desktop.deleting import delete_entry, delete_txn, void_txn
from sandbox.quickbooks_desktop.elements import text, texts
from sandbox.quickbooks_desktop.errors import HResult, Refused, parse_error
from sandbox.quickbooks_desktop.grammar import check
from sandbox.quickbooks_desktop.payments import pay
from sandbox.quickbooks_desktop.pc_time import written
from sandbox.quickbooks_desktop.qbxml import Asked, attributes, branch, leaf, read, windows
from sandbox.quickbooks_desktop.querying import Answered, Iterators, only, query
from sandbox.quickbooks_desktop.records import PAYMENTS, Entry, Txn
from sandbox.quickbooks_desktop.tampering import KINDS as TAMPERING
from sandbox.quickbooks_desktop.tampering import tampered

ERP = "quickbooks_desktop"
STOPS = frozenset(["unavailable", "session_expired", "lost_request", "html_error"])
"""Faults that keep a document from QuickBooks, or QuickBooks from it."""
REFUSES = frozenset(["refused", "permission_denied", "unknown_error", "throttled", "offline"])
SPOILS = frozenset(["error_after_commit", "gateway_timeout", "truncated", "malformed", "empty_answer"])
_DURING = TAMPERING | {"link_dropped", "status_missing", "row_moved"}
_ENDS = ("Query", "Add", "Mod", "Del", "Void")


class Outcome(NamedTuple):
    """One request's answer, and the shorter one that a status check may show."""

    answer: str
    short: str
    done: bool


class Application(NamedTuple):
    """Who asks: the name under which message sets are kept, and whether it may write."""

    name: str
    read_only: bool = False


def operations_of(document: str) -> list[Operation]:
    """The requests of a document, as faults and counts name them; none where it cannot be read."""
    try:
        return [_operation(request) for request in read(document).requests]
    except HResult:
        return [Operation("unreadable", "")]


def _operation(request: etree._Element) -> Operation:
    name = str(request.tag).removesuffix("Rq")
    about = next((name.removesuffix(end) for end in _ENDS if name.endswith(end)), name)
    return Operation(name, about)


class Session:
    """One session of an application with a company file; its iterators end with it."""

    def __init__(self, company: Company, application: Application, faults: Faults, calls: Calls) -> None:
        self.company = company
        self._application = application
        self._faults = faults
        self._calls = calls
        self._iterators = Iterators()

    def process(self, document: str) -> str:
        """The answer to a document. Raises HResult when QuickBooks refuses it as a whole, or breaks."""
        asked = self._understood(document)
        wrong = check(asked, self._newest())
        if wrong and self.company.switches.word("bad_values") == "parse_error":
            raise parse_error(next(iter(wrong.values())).message)
        operations = [_operation(request) for request in asked.requests]
        for operation in operations:
            self._calls.operation(*operation)
        recovery = message_sets.recovered(
            self.company, self._application.name, asked.attributes, document, empty=not asked.requests
        )
        answers = recovery.answers or []
        if recovery.runs and asked.requests:
            outcomes = self._run(asked, wrong)
            answers = [outcome.answer for outcome in outcomes]
            new = asked.attributes.get("newMessageSetID")
            if new is not None:
                short = [outcome.short for outcome in outcomes]
                message_sets.keep(self.company, self._application.name, new, document, answers, short)
        return self._spoiled(self._whole(asked, recovery.code, answers), operations)

    def ask(self, requests: str) -> str:
        """The answer to requests of the Web Connector's own, without faults or counts."""
        newest = self.company.switches.word("qbxml_version")
        document = f'<?qbxml version="{newest}"?><QBXML><QBXMLMsgsRq onError="continueOnError">{requests}'
        asked = read(f"{document}</QBXMLMsgsRq></QBXML>")
        answers = [self._answer(request, []).answer for request in asked.requests]
        return self._whole(asked, None, answers)

    def _newest(self) -> int:
        return int(self.company.switches.word("qbxml_version").partition(".")[0])

    def _understood(self, document: str) -> Asked:
        asked = read(document)
        if self.company.switches.word("foreign_characters") == "parse_error":
            for request in asked.requests:
                if any(windows(part)[1] for part in request.itertext()):
                    raise parse_error("characters outside Windows-1252")
        return asked

    def _run(self, asked: Asked, wrong: dict[int, Refused]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        stop = asked.attributes["onError"] == "stopOnError"
        failed = False
        for position, request in enumerate(asked.requests):
            if failed and stop:
                outcomes.append(self._refused(request, Refused(3231, "The request has not been processed. ")))
                continue
            rules = self._faults.strike(ERP, [_operation(request)], REFUSES)
            if rules:
                outcome = self._refused(request, _refusal(rules[0]))
            elif position in wrong:
                outcome = self._refused(request, wrong[position])
            else:
                outcome = self._answer(request, self._faults.strike(ERP, [_operation(request)], _DURING))
            if asked.attributes.get("responseData") == "includeNone":
                outcome = outcome._replace(answer=_emptied(outcome.answer))
            outcomes.append(outcome)
            failed = failed or not outcome.done
        return outcomes

    def _answer(self, request: etree._Element, rules: list[Rule]) -> Outcome:
        name = str(request.tag).removesuffix("Rq")
        try:
            if len(request.get("requestID") or "") > 50:
                raise Refused(1060, "The request ID is too long. ")
            if name.endswith("Query"):
                return self._queried(name, request, rules)
            if self._application.read_only and self._is_refused_to_readers(request):
                raise Refused(3263, "The application is registered as read only and may not change the company file. ")
            return self._written(name, request, rules)
        except Refused as refused:
            return self._refused(request, refused)

    # Queries

    def _queried(self, name: str, request: etree._Element, rules: list[Rule]) -> Outcome:
        own = {"HostQuery": lists.host_text, "PreferencesQuery": lists.preferences_text}
        if name in own:
            shown = own[name](self.company)
            return self._done(request, shown, shown)
        if name == "CompanyQuery":
            shown = lists.company_text(self.company, texts(request, "OwnerID"))
            return self._done(request, shown, shown)
        answered = query(self.company, self._iterators, request)
        if any(rule.kind == "row_moved" for rule in rules):
            self._move_a_row(name.removesuffix("Query"))
        body = tampered(answered.text, [rule for rule in rules if rule.kind in TAMPERING])
        head = self._head(request, answered.code, answered.severity, answered.message, _counts(request, answered))
        answer = f"<{name}Rs{head}>{body}</{name}Rs>" if body else f"<{name}Rs{head}/>"
        return Outcome(answer, answer, True)

    def _move_a_row(self, kind: str) -> None:
        """Somebody saves the newest document between two pages."""
        records = self.company.txns.get(kind) or {}
        if records:
            self.company.touch(list(records.values())[-1])

    # Writes

    def _is_refused_to_readers(self, request: etree._Element) -> bool:
        """Whether an application that may only read hears so, or first that what it names is not there."""
        if self.company.switches.word("read_only_refusal") == "any_write":
            return True
        named = next((one.text for one in request.iter("TxnID")), None)
        if str(request.tag).removesuffix("Rq").endswith("Add") or named is None:
            return True
        return any(named in records for records in self.company.txns.values())

    def _written(self, name: str, request: etree._Element, rules: list[Rule]) -> Outcome:
        company = self.company
        if name == "TxnDel":
            txn = delete_txn(company, text(request, "TxnDelType") or "", text(request, "TxnID") or "")
            shown = leaf("TxnDelType", txn.kind) + leaf("TxnID", txn.txn_id) + self._now("TimeDeleted")
            shown += leaf("RefNumber", txn.ref_number)
            return self._done(request, shown, shown)
        if name == "TxnVoid":
            txn = void_txn(company, text(request, "TxnVoidType") or "", text(request, "TxnID") or "")
            shown = leaf("TxnVoidType", txn.kind) + leaf("TxnID", txn.txn_id)
            shown += leaf("TimeCreated", written(txn.created, company.switches)) + self._now("TimeModified")
            shown += leaf("RefNumber", txn.ref_number)
            return self._done(request, shown, shown)
        if name == "ListDel":
            entry = delete_entry(company, text(request, "ListDelType") or "", text(request, "ListID") or "")
            shown = leaf("ListDelType", entry.kind) + leaf("ListID", entry.list_id) + self._now("TimeDeleted")
            shown += leaf("FullName", entry.full_name)
            return self._done(request, shown, shown)
        record, remarks = self._saved(name, request, rules)
        shown = self._shown(record)
        if any(rule.kind == "status_missing" for rule in rules):
            shown = ""
        wanted = texts(request, "IncludeRetElement")
        return self._done(request, only(shown, wanted) if wanted and shown else shown, _recovery(record), remarks)

    def _saved(self, name: str, request: etree._Element, rules: list[Rule]) -> tuple[Txn | Entry, list[Refused]]:
        body = request[0]
        if name == "VendorAdd":
            return lists.add_vendor(self.company, body), []
        if name == "VendorMod":
            return lists.modify_vendor(self.company, body), []
        kind = name[:-3]
        if kind in PAYMENTS:
            return pay(self.company, kind, body)
        if name.endswith("Mod"):
            return writing.modify(self.company, kind, body)
        drop = any(rule.kind == "link_dropped" for rule in rules)
        return writing.add(self.company, kind, body, writing.Options(drop))

    def _shown(self, record: Txn | Entry) -> str:
        """The object as the answer to a write shows it: with its lines, without its links (reference 3.2)."""
        if isinstance(record, Entry):
            return wire_out.entry_text(self.company, record)
        return wire_out.txn_text(self.company, record, lines=True, linked=False)

    def _now(self, name: str) -> str:
        return leaf(name, written(self.company.now(), self.company.switches))

    # Answers

    def _done(self, request: etree._Element, shown: str, short: str, remarks: list[Refused] | None = None) -> Outcome:
        code, severity, message = 0, "Info", "Status OK"
        if remarks:
            code, severity, message = remarks[0].code, remarks[0].severity, remarks[0].message
        tag = f"{str(request.tag).removesuffix('Rq')}Rs"
        head = self._head(request, code, severity, message)
        return Outcome(
            f"<{tag}{head}>{shown}</{tag}>" if shown else f"<{tag}{head}/>", f"<{tag}{head}>{short}</{tag}>", True
        )

    def _refused(self, request: etree._Element, refused: Refused) -> Outcome:
        tag = f"{str(request.tag).removesuffix('Rq')}Rs"
        head = self._head(request, refused.code, refused.severity, refused.message)
        shown = self._shown(refused.current) if refused.current is not None else ""
        answer = f"<{tag}{head}>{shown}</{tag}>" if shown else f"<{tag}{head}/>"
        return Outcome(answer, answer, False)

    def _head(
        self,
        request: etree._Element,
        code: int,
        severity: str,
        message: str,
        more: tuple[tuple[str, object], ...] = (),
    ) -> str:
        return attributes(
            [
                ("requestID", request.get("requestID")),
                ("statusCode", code),
                ("statusSeverity", severity),
                ("statusMessage", message),
                *more,
            ]
        )

    def _whole(self, asked: Asked, code: int | None, answers: list[str]) -> str:
        head = attributes(
            [
                ("newMessageSetID", asked.attributes.get("newMessageSetID") if code is not None else None),
                ("messageSetStatusCode", code),
            ]
        )
        body = "".join(answers)
        inner = f"<QBXMLMsgsRs{head}>{body}</QBXMLMsgsRs>" if body else f"<QBXMLMsgsRs{head}/>"
        encoding = self.company.switches.word("inner_encoding")
        declaration = "" if encoding == "none" else f'<?xml version="1.0" encoding="{encoding}"?>'
        return f"{declaration}<QBXML>{inner}</QBXML>"

    def _spoiled(self, answer: str, operations: list[Operation]) -> str:
        for rule in self._faults.strike(ERP, operations, SPOILS):
            if rule.kind in ("error_after_commit", "gateway_timeout"):
                raise HResult(rule.errorno or "0x80040402", "Unexpected error. Check the qbsdklog.txt file.")
            if rule.kind == "truncated":
                return answer[: len(answer) // 2]
            if rule.kind == "malformed":
                return f"An unexpected error occurred: {rule.message}"
            return ""
        return answer


def _counts(request: etree._Element, answered: Answered) -> tuple[tuple[str, object], ...]:
    counted = request.get("metaData") in ("MetaDataOnly", "MetaDataAndResponseData")
    return (
        ("retCount", answered.number if counted else None),
        ("iteratorRemainingCount", answered.remaining),
        ("iteratorID", answered.iterator_id or None),
    )


def _emptied(answer: str) -> str:
    """The answer with its status alone."""
    head, _, rest = answer.partition(">")
    return answer if not rest else f"{head}/>"


def _recovery(record: Txn | Entry) -> str:
    if isinstance(record, Entry):
        parts = (leaf("ListID", record.list_id), leaf("EditSequence", record.edit_sequence))
    else:
        parts = (
            leaf("TxnID", record.txn_id) + leaf("TxnNumber", record.number),
            leaf("EditSequence", record.edit_sequence),
        )
    guid = leaf("ExternalGUID", record.values.get("ExternalGUID"))
    return branch("ErrorRecovery", *parts, guid)


def _refusal(rule: Rule) -> Refused:
    """The status of a fault that refuses one request."""
    if rule.kind == "permission_denied":
        return Refused(3260, "Insufficient permission level to perform this action. ")
    if rule.kind == "throttled":
        return Refused(3175, "There was an error because the object is already in use by another user.")
    if rule.kind == "offline":
        return Refused(1010, "System not available. ")
    if rule.kind == "unknown_error":
        return Refused(int(rule.errorno or "8642"), rule.message)
    return Refused(int(rule.errorno or "3210"), rule.message)
