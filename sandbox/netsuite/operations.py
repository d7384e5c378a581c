"""The SOAP operations: what each takes, does and answers (reference 3.1, 3.2)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from lxml import etree

from sandbox.faults import Operation, Rule
from sandbox.netsuite import writing
from sandbox.netsuite.company import Company
from sandbox.netsuite.errors import Refused, SoapFault
from sandbox.netsuite.initialising import initialised
from sandbox.netsuite.normalising import Writing
from sandbox.netsuite.own_fields import select_values
from sandbox.netsuite.reading import SUCCESS, Preferences, Readings, failed
from sandbox.netsuite.records import BY_SHAPE
from sandbox.netsuite.values import Fields, Ref

LIMITS = {"addList": 200, "updateList": 100, "upsertList": 100, "deleteList": 200, "getList": 1000}
"""Records in one request (reference 3.5)."""


@dataclass
class Call:
    """One request on its way through: what it asks, with which preferences, and what faults do to it."""

    company: Company
    readings: Readings
    operation: Operation
    given: Fields
    preferences: Fields
    search_preferences: Fields
    tampering: Mapping[str, str]
    refusals: list[Rule]
    base_url: str
    new_id: Callable[[], str]


class Outcome(NamedTuple):
    """One result of a write."""

    status: Fields
    ref: Ref | None


def _write_response(call: Call, outcome: Outcome) -> str:
    writer = call.readings.writer()
    inner = writer.element("platformCore", "status", "Status", outcome.status)
    if outcome.ref is not None:
        inner += writer.element("platformMsgs", "baseRef", "BaseRef", outcome.ref)
    return f"<platformMsgs:writeResponse>{inner}</platformMsgs:writeResponse>"


def _success(call: Call, warnings: list[str]) -> Fields:
    broken = "after_submit_failed" in call.tampering
    details = [Fields("StatusDetail", {"afterSubmitFailed": broken})]
    for warning in warnings:
        details.append(Fields("StatusDetail", {"code": "WARNING", "message": warning}, {"type": "WARN"}))
    return Fields("Status", {"statusDetail": details}, {"isSuccess": "true"})


def _writing(call: Call) -> Writing:
    return Writing(
        call.company,
        ignore_read_only=bool(call.preferences.get("ignoreReadOnlyFields")),
        warnings_fail=bool(call.preferences.get("warningAsError")),
        tampering=call.tampering,
    )


def _refuse_by_fault(call: Call) -> None:
    for rule in call.refusals:
        if rule.kind == "permission_denied":
            text = f"Permission Violation: You need a higher level of permission for {call.operation.object}."
            raise Refused("INSUFFICIENT_PERMISSION", text)
        if rule.kind == "unknown_error":
            raise Refused("ZZ_NOBODY_KNOWS_THIS", "Something that no documentation mentions happened.")
        raise Refused(rule.errorno or "USER_ERROR", rule.message)


_WRITES = {"add": writing.add, "update": writing.update, "upsert": writing.upsert}


def _write_one(call: Call, name: str, given: Fields) -> Outcome:
    state = _writing(call)
    sent = Ref(given.attributes.get("internalId", ""), given.attributes.get("externalId", ""))
    kind = BY_SHAPE.get(given.shape)
    sent = sent._replace(type=kind.name if kind is not None else "")
    try:
        _refuse_by_fault(call)
        record = _WRITES[name](state, given)
    except Refused as error:
        return Outcome(failed(error), sent if sent.internal_id or sent.external_id else None)
    ref = Ref(record.internal_id, record.external_id, record.type.name)
    return Outcome(_success(call, state.warnings), ref)


def _write(call: Call) -> str:
    return _write_response(call, _write_one(call, call.operation.name, call.given["record"]))


def _write_list(call: Call) -> str:
    name = call.operation.name.removesuffix("List")
    _check_count(call, call.given["record"])
    answers = [_write_response(call, _write_one(call, name, given)) for given in call.given["record"]]
    return _list(call, "writeResponseList", answers)


def _check_count(call: Call, asked: list[Any]) -> None:
    limit = LIMITS[call.operation.name]
    if len(asked) > limit:
        text = f"The maximum number of records allowed for {call.operation.name} is {limit}."
        raise SoapFault("exceededRecordCountFault", "MAX_RCRDS_EXCEEDED", text)


def _list(call: Call, name: str, answers: list[str]) -> str:
    status = call.readings.writer().element("platformCore", "status", "Status", SUCCESS)
    return f"<platformMsgs:{name}>{status}{''.join(answers)}</platformMsgs:{name}>"


def _delete_one(call: Call, ref: Ref) -> Outcome:
    try:
        _refuse_by_fault(call)
        record = writing.delete(_writing(call), ref)
    except Refused as error:
        return Outcome(failed(error), ref)
    return Outcome(_success(call, []), Ref(record.internal_id, record.external_id, record.type.name))


def _delete(call: Call) -> str:
    return _write_response(call, _delete_one(call, call.given["baseRef"]))


def _delete_list(call: Call) -> str:
    _check_count(call, call.given["baseRef"])
    return _list(
        call,
        "writeResponseList",
        [_write_response(call, _delete_one(call, ref)) for ref in call.given["baseRef"]],
    )


def _read_one(call: Call, ref: Ref) -> str:
    try:
        _refuse_by_fault(call)
    except Refused as error:
        return call.readings.read_response(failed(error), "")
    return call.readings.read_one(ref, call.tampering)


def _get(call: Call) -> str:
    return _read_one(call, call.given["baseRef"])


def _get_list(call: Call) -> str:
    refs = call.given["baseRef"]
    _check_count(call, refs)
    answers = [_read_one(call, ref) for ref in refs]
    if "short_page" in call.tampering:
        answers = answers[:-1]
    return _list(call, "readResponseList", answers)


def _get_all(call: Call) -> str:
    return call.readings.get_all(call.given["record"].attributes.get("recordType", ""))


def _preferences(call: Call) -> Preferences:
    given = call.search_preferences
    return Preferences(
        body_fields_only=bool(given.get("bodyFieldsOnly", True)),
        return_columns=bool(given.get("returnSearchColumns", True)),
        page_size=given.get("pageSize"),
    )


def _search(call: Call) -> str:
    try:
        _refuse_by_fault(call)
    except Refused as error:
        return call.readings.refused("searchResult", error)
    return call.readings.search(call.given["searchRecord"], _preferences(call), call.new_id(), call.tampering)


def _search_more(call: Call) -> str:
    try:
        _refuse_by_fault(call)
    except Refused as error:
        return call.readings.refused("searchResult", error)
    return call.readings.search_more(call.given["searchId"], call.given["pageIndex"], call.tampering)


def _get_deleted(call: Call) -> str:
    try:
        _refuse_by_fault(call)
    except Refused as error:
        return call.readings.refused("getDeletedResult", error)
    return call.readings.get_deleted(call.given["getDeletedFilter"], call.given["pageIndex"])


def _initialize_one(call: Call, asked: Fields) -> str:
    try:
        _refuse_by_fault(call)
        fields = initialised(call.company, asked)
    except Refused as error:
        return call.readings.read_response(failed(error), "")
    text = call.readings.writer().element("platformCore", "record", "Record", fields)
    return call.readings.read_response(SUCCESS, text)


def _initialize(call: Call) -> str:
    return _initialize_one(call, call.given["initializeRecord"])


def _initialize_list(call: Call) -> str:
    return _list(
        call,
        "readResponseList",
        [_initialize_one(call, asked) for asked in call.given["initializeRecord"]],
    )


def _get_select_value(call: Call) -> str:
    try:
        _refuse_by_fault(call)
        values = select_values(call.company, call.given["fieldDescription"])
    except Refused as error:
        return call.readings.refused("getSelectValueResult", error)
    return _told(
        call,
        "getSelectValueResult",
        {"totalRecords": len(values), "totalPages": 1, "baseRefList": values},
    )


def _told(call: Call, name: str, values: Mapping[str, Any]) -> str:
    """A result of the core namespace with a good status."""
    kind = name[0].upper() + name[1:]
    fields = Fields(kind, {"status": SUCCESS, **values})
    return call.readings.writer().element("platformCore", name, kind, fields)


def _get_server_time(call: Call) -> str:
    # GMT, whatever the account's time zone is (reference 3.2).
    moment = call.company.clock.now().isoformat(timespec="milliseconds")
    status = call.readings.writer().element("platformCore", "status", "Status", SUCCESS)
    inner = f"{status}<platformCore:serverTime>{moment}</platformCore:serverTime>"
    return f"<platformCore:getServerTimeResult>{inner}</platformCore:getServerTimeResult>"


def _get_data_center_urls(call: Call) -> str:
    domains = dict.fromkeys(("restDomain", "webservicesDomain", "systemDomain"), call.base_url)
    return _told(call, "getDataCenterUrlsResult", {"dataCenterUrls": Fields("DataCenterUrls", domains)})


def _get_account_governance(call: Call) -> str:
    limit = int(call.company.switches.number("concurrency_limit"))
    values = {"accountConcurrencyLimit": limit, "unallocatedConcurrencyLimit": limit}
    return _told(call, "getAccountGovernanceInfoResult", values)


def _get_integration_governance(call: Call) -> str:
    limit = int(call.company.switches.number("concurrency_limit"))
    values = {"integrationConcurrencyLimit": limit, "limitType": "_account"}
    return _told(call, "getIntegrationGovernanceInfoResult", values)


RUN: Mapping[str, Callable[[Call], str]] = {
    "add": _write,
    "update": _write,
    "upsert": _write,
    "addList": _write_list,
    "updateList": _write_list,
    "upsertList": _write_list,
    "delete": _delete,
    "deleteList": _delete_list,
    "get": _get,
    "getList": _get_list,
    "getAll": _get_all,
    "search": _search,
    "searchMoreWithId": _search_more,
    "getDeleted": _get_deleted,
    "initialize": _initialize,
    "getSelectValue": _get_select_value,
    "initializeList": _initialize_list,
    "getServerTime": _get_server_time,
    "getDataCenterUrls": _get_data_center_urls,
    "getAccountGovernanceInfo": _get_account_governance,
    "getIntegrationGovernanceInfo": _get_integration_governance,
}


def object_of(element: etree._Element) -> str:
    """The record type a request is about, for counts and faults: its first, empty where it names none."""
    for part in element.iter():
        kind = part.get("{http://www.w3.org/2001/XMLSchema-instance}type", "").rpartition(":")[2]
        if kind in BY_SHAPE:
            return BY_SHAPE[kind].name
        name = etree.QName(part).localname
        if name in ("baseRef",) and part.get("type"):
            return str(part.get("type"))
        if name == "type" and len(part) and part.get("operator") == "anyOf":
            return (part[0].text or "").strip().removeprefix("_")
        if name == "type" and not len(part):
            return (part.text or "").strip()
    for part in element.iter():
        kind = part.get("{http://www.w3.org/2001/XMLSchema-instance}type", "").rpartition(":")[2]
        for suffix in ("SearchBasic", "SearchAdvanced", "Search"):
            if kind.endswith(suffix):
                subject = kind.removesuffix(suffix)
                return BY_SHAPE[subject].name if subject in BY_SHAPE else subject.lower()
    return ""
