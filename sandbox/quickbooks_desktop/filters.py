"""Which records a query is about: by id, by number or name, or by its filters (reference 2.4, 3.5)."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta

from lxml import etree

from sandbox.quickbooks_desktop import elements, pc_time
from sandbox.quickbooks_desktop.company import Company
from sandbox.quickbooks_desktop.errors import Refused
from sandbox.quickbooks_desktop.records import FAMILIES, Entry, Txn


def txns_asked(company: Company, kind: str, request: etree._Element) -> tuple[list[Txn], list[str]]:
    """The transactions a query finds, and the ids it named in vain. Raises Refused."""
    records = company.txns[kind]
    named = elements.texts(request, "TxnID")
    if named:
        return [records[one] for one in named if one in records], [one for one in named if one not in records]
    numbers = elements.texts(request, "RefNumber")
    exact = elements.texts(request, "RefNumberCaseSensitive")
    if numbers or exact:
        lowered = {one.lower() for one in numbers}
        kept = [one for one in records.values() if one.ref_number in exact or one.ref_number.lower() in lowered]
        return _ordered(company, kept), []
    checks = [*_modified(company, request.find("ModifiedDateRangeFilter")), *_txn_date(company, request)]
    checks += [*_entity(company, request), *_ref_number(request), *_paid(company, request)]
    kept = [one for one in records.values() if all(check(one) for check in checks)]
    return _ordered(company, kept), []


def entries_asked(company: Company, kinds: Iterable[str], request: etree._Element) -> tuple[list[Entry], list[str]]:
    """The entries a query finds, and the ids or names it named in vain. Raises Refused."""
    records = [entry for kind in kinds for entry in company.entries[kind].values()]
    ids, names = elements.texts(request, "ListID"), elements.texts(request, "FullName")
    if ids or names:
        known = {one.list_id if ids else one.full_name.lower(): one for one in records}
        wanted = [(one, known.get(one if ids else one.lower())) for one in ids or names]
        return [entry for _, entry in wanted if entry is not None], [one for one, entry in wanted if entry is None]
    checks = [*_modified(company, request), *_active(request), *_name(request)]
    kinds_wanted = elements.texts(request, "AccountType")
    if kinds_wanted:
        checks.append(lambda entry: entry.values["AccountType"] in kinds_wanted)
    return sorted((one for one in records if all(check(one) for check in checks)), key=lambda one: one.full_name), []


def _ordered(company: Company, records: list[Txn]) -> list[Txn]:
    order = company.switches.word("query_order")
    if order == "modified":
        return sorted(records, key=lambda one: (one.modified, one.number))
    if order == "date":
        return sorted(records, key=lambda one: (one.day, one.number))
    return sorted(records, key=lambda one: one.number, reverse=order == "newest")


Check = Callable[[Txn], bool]
EntryCheck = Callable[[Entry], bool]


def _modified(company: Company, element: etree._Element | None) -> Iterable[Callable[[Txn | Entry], bool]]:
    """Both ends are inclusive."""
    if element is None:
        return
    yield from between(company, element, "FromModifiedDate", "ToModifiedDate", lambda one: one.modified)


def between(
    company: Company, element: etree._Element, begin: str, end: str, moment: Callable[..., datetime]
) -> Iterable[Callable[..., bool]]:
    """Checks of a range of times. Raises Refused when it ends before it begins."""
    switches = company.switches
    first, last = elements.text(element, begin), elements.text(element, end)
    since = pc_time.as_asked(first, switches) if first else None
    until = pc_time.as_asked(last, switches, end=True) if last else None
    if since is not None and until is not None and until < since:
        raise Refused(3030, f'The date range in the fields "{begin}" and "{end}" is invalid. ')
    if switches.word("repeated_hour") == "moments":
        if since is not None:
            lower = pc_time.moment_of(since, switches)
            yield lambda one: moment(one) >= lower
        if until is not None:
            upper = pc_time.moment_of(until, switches)
            yield lambda one: moment(one) <= upper
        return
    if since is not None:
        yield lambda one: pc_time.wall_clock(moment(one), switches) >= since
    if until is not None:
        yield lambda one: pc_time.wall_clock(moment(one), switches) <= until


def _txn_date(company: Company, request: etree._Element) -> Iterable[Check]:
    element = request.find("TxnDateRangeFilter")
    if element is None:
        return
    first, last = elements.day(element, "FromTxnDate"), elements.day(element, "ToTxnDate")
    macro = elements.text(element, "DateMacro")
    if macro:
        first, last = _macro(macro, company.today())
    if first is not None and last is not None and last < first:
        raise Refused(3030, 'The date range in the fields "FromTxnDate" and "ToTxnDate" is invalid. ')
    if first is not None:
        yield lambda one: one.day >= first
    if last is not None:
        yield lambda one: one.day <= last


def _macro(macro: str, today: date) -> tuple[date | None, date | None]:
    month = today.replace(day=1)
    known: dict[str, tuple[date | None, date | None]] = {
        "All": (None, None),
        "Today": (today, today),
        "Yesterday": (today - timedelta(days=1), today - timedelta(days=1)),
        "ThisMonthToDate": (month, today),
        "ThisCalendarYearToDate": (today.replace(month=1, day=1), today),
        "LastMonth": ((month - timedelta(days=1)).replace(day=1), month - timedelta(days=1)),
    }
    if macro not in known:
        raise Refused(3030, f'The date macro "{macro}" is not known to this company file. ')
    return known[macro]


def _entity(company: Company, request: etree._Element) -> Iterable[Check]:
    element = request.find("EntityFilter")
    if element is None:
        return
    ids = {*elements.texts(element, "ListID"), *elements.texts(element, "ListIDWithChildren")}
    for full_name in (*elements.texts(element, "FullName"), *elements.texts(element, "FullNameWithChildren")):
        entry = company.named("Vendor", full_name)
        if entry is not None:
            ids.add(entry.list_id)
    yield lambda one: one.entity in ids


def _ref_number(request: etree._Element) -> Iterable[Check]:
    element = request.find("RefNumberFilter")
    if element is not None:
        wanted = (elements.text(element, "RefNumber") or "").lower()
        criterion = elements.text(element, "MatchCriterion") or ""
        yield lambda one: _matches(one.ref_number.lower(), criterion, wanted)
    element = request.find("RefNumberRangeFilter")
    if element is not None:
        first, last = elements.text(element, "FromRefNumber"), elements.text(element, "ToRefNumber")
        if first:
            yield lambda one: one.ref_number >= first
        if last:
            yield lambda one: one.ref_number <= last


def _matches(value: str, criterion: str, wanted: str) -> bool:
    if criterion == "StartsWith":
        return value.startswith(wanted)
    return value.endswith(wanted) if criterion == "EndsWith" else wanted in value


def _paid(company: Company, request: etree._Element) -> Iterable[Check]:
    status = elements.text(request, "PaidStatus")
    if status in ("PaidOnly", "NotPaidOnly"):
        yield lambda one: (company.open_amount(one) == 0) == (status == "PaidOnly")


def _active(request: etree._Element) -> Iterable[EntryCheck]:
    """Active entries alone unless others are asked for."""
    status = elements.text(request, "ActiveStatus") or "ActiveOnly"
    if status != "All":
        yield lambda one: one.active == (status == "ActiveOnly")


def _name(request: etree._Element) -> Iterable[EntryCheck]:
    element = request.find("NameFilter")
    if element is not None:
        wanted = (elements.text(element, "Name") or "").lower()
        criterion = elements.text(element, "MatchCriterion") or ""
        yield lambda one: _matches(one.full_name.lower(), criterion, wanted)
    element = request.find("NameRangeFilter")
    if element is not None:
        first, last = elements.text(element, "FromName"), elements.text(element, "ToName")
        if first:
            yield lambda one: one.full_name.lower() >= first.lower()
        if last:
            yield lambda one: one.full_name.lower() <= last.lower()


QUERIED_LISTS = {
    "Vendor": ("Vendor",),
    "Account": ("Account",),
    "Class": ("Class",),
    "Terms": FAMILIES["Terms"],
    "StandardTerms": ("StandardTerms",),
    "DateDrivenTerms": ("DateDrivenTerms",),
    "UnitOfMeasureSet": ("UnitOfMeasureSet",),
    "Item": FAMILIES["Item"],
    **{kind: (kind,) for kind in FAMILIES["Item"]},
}
"""What each query of a list looks through, by its name without QueryRq."""
