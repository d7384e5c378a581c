"""get, getList, getAll, search and its further pages, getDeleted (reference 3.2, 3.3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.netsuite.columns import TRANSACTIONS, Row, list_value, row_value
from sandbox.netsuite.company import Company
from sandbox.netsuite.errors import Refused
from sandbox.netsuite.orders import settle, settle_all
from sandbox.netsuite.records import RECORD_TYPES, WITHOUT_DELETIONS, Record
from sandbox.netsuite.schema.shapes import SHAPES
from sandbox.netsuite.searching import Search, date_test, found, matching_rows, read_search
from sandbox.netsuite.values import Fields, Ref
from sandbox.netsuite.wire_out import Writer

SUCCESS = Fields("Status", attributes={"isSuccess": "true"})
Tampering = Mapping[str, str]


@dataclass
class OpenSearch:
    """A search that further pages can be asked of. It remembers the question, not the answer."""

    search: Search
    body_only: bool
    page_size: int
    used: datetime
    gone: set[str] = field(default_factory=set)
    """Records that stopped matching between two pages, by a fault."""
    pages: int = 1


@dataclass
class Preferences:
    """searchPreferences with their defaults."""

    body_fields_only: bool = True
    return_columns: bool = True
    page_size: int | None = None


def failed(error: Refused) -> Fields:
    """A status that says why."""
    detail = Fields("StatusDetail", {"code": error.code, "message": error.message}, {"type": "ERROR"})
    return Fields("Status", {"statusDetail": [detail]}, {"isSuccess": "false"})


class Readings:
    """The reading operations over one account, and its open searches."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self.forget()

    def forget(self) -> None:
        """No searchId is valid any more."""
        self.searches: dict[str, OpenSearch] = {}

    def writer(self) -> Writer:
        """Writes values as this account shows them."""
        return Writer(self._company.zone, self._company.name_of)

    @property
    def _looks(self) -> tuple[object, ...]:
        """What a record's XML depends on beside the record."""
        switches = self._company.switches
        return self._company.lists_changed, switches.number("utc_offset_minutes"), switches.word("header_stamp")

    # Records

    def fields_of(self, record: Record, *, body_only: bool = False) -> Fields:
        """The record as it is shown: ids as attributes, no sublists when only the body is wanted."""
        shape = SHAPES[record.type.shape]
        values = record.values
        if body_only:
            values = {name: value for name, value in values.items() if not isinstance(value, list)}
        if record.type.name == "purchaseOrder" and self._company.switches.word("header_stamp") == "absent":
            values = {name: value for name, value in values.items() if name != "lastModifiedDate"}
        shown = {"internalId": record.internal_id}
        if record.external_id and len(shape.attributes) > 1:
            shown["externalId"] = record.external_id
        return Fields(record.type.shape, values, shown)

    def record_xml(self, record: Record, *, body_only: bool = False, tampering: Tampering | None = None) -> str:
        """The record as an element `record` of the core namespace, rendered once per change."""
        if record.later:
            settle(self._company, record)
        if tampering:
            fields = tampered(self.fields_of(record, body_only=body_only), record, tampering)
            return self.writer().element("platformCore", "record", "Record", fields)
        ready = record.rendered.get(body_only)
        if ready is None or ready[0] != self._looks:
            fields = self.fields_of(record, body_only=body_only)
            text = self.writer().element("platformCore", "record", "Record", fields)
            ready = (self._looks, text)
            record.rendered[body_only] = ready
        return ready[1]

    def read_one(self, ref: Ref, tampering: Tampering) -> str:
        """One readResponse for a reference.

        Raises:
            Refused: there is no such record, or no such type.
        """
        try:
            if ref.type not in RECORD_TYPES:
                raise Refused("INVALID_RCRD_TYPE", f"{ref.type or 'A reference without a type'} is not a record type.")
            record = self._company.find(ref.type, ref)
            if record is None:
                raise Refused("RCRD_DSNT_EXIST", "That record does not exist.")
        except Refused as error:
            return self.read_response(failed(error), "")
        return self.read_response(SUCCESS, self.record_xml(record, tampering=tampering))

    def read_response(self, status: Fields, record_xml: str) -> str:
        """A readResponse; the record in it belongs to the messages namespace (reference 3.2)."""
        inner = self.writer().element("platformCore", "status", "Status", status)
        if record_xml:
            body = record_xml.removeprefix("<platformCore:record").removesuffix("</platformCore:record>")
            inner += f"<platformMsgs:record{body}</platformMsgs:record>"
        return f"<platformMsgs:readResponse>{inner}</platformMsgs:readResponse>"

    def get_all(self, record_type: str) -> str:
        """getAllResult; of the types that can be asked for, this account holds currencies."""
        if record_type != "currency":
            refused = failed(Refused("INVALID_RCRD_TYPE", f"{record_type} cannot be listed here."))
            status = self.writer().element("platformCore", "status", "Status", refused)
            return f"<platformCore:getAllResult>{status}</platformCore:getAllResult>"
        records = self._company.all("currency")
        return self._result("getAllResult", {"totalRecords": len(records)}, self._record_list(records, False, {}))

    def _record_list(self, records: Sequence[Record], body_only: bool, tampering: Tampering) -> str:
        chosen = _chosen(records, tampering)
        parts = []
        for record in records:
            text = self.record_xml(record, body_only=body_only, tampering=tampering if record is chosen else None)
            parts.append(text)
            if record is chosen and "duplicate_row" in tampering:
                parts.append(text)
        return f"<platformCore:recordList>{''.join(parts)}</platformCore:recordList>" if parts else ""

    def _result(self, name: str, numbers: Mapping[str, Any], inner: str, status: Fields = SUCCESS) -> str:
        shown = self.writer().element("platformCore", "status", "Status", status)
        shown += "".join(f"<platformCore:{key}>{value}</platformCore:{key}>" for key, value in numbers.items())
        return f"<platformCore:{name}>{shown}{inner}</platformCore:{name}>"

    def refused(self, name: str, error: Refused) -> str:
        """A result of the core namespace that says why there is none."""
        return self._result(name, {}, "", failed(error))

    # Searches

    def search(self, given: Fields, preferences: Preferences, search_id: str, tampering: Tampering) -> str:
        """A searchResult: the first page, and an id for the others.

        Raises:
            Refused: the page size is out of range, or an advanced search names no column.
        """
        company = self._company
        try:
            size = preferences.page_size or int(company.switches.number("page_size"))
            if not 5 <= size <= 1000:
                raise Refused("INVALID_SEARCH_PAGE_SIZE", "The page size is from 5 to 1000.")
            search = read_search(company, given)
            if search.row_shape and preferences.return_columns and not search.columns:
                raise Refused("INVALID_SEARCH", "An advanced search needs columns.")
            if not preferences.return_columns:
                search = search._replace(columns=None)
            opened = OpenSearch(search, preferences.body_fields_only, size, company.clock.now())
            text = self._page(opened, 1, search_id, tampering)
        except Refused as error:
            return self._result("searchResult", {}, "", failed(error))
        self.searches[search_id] = opened
        return text

    def search_more(self, search_id: str, page: int, tampering: Tampering) -> str:
        """Another page: the search is run again, so rows may have moved (reference 3.3).

        Raises:
            Refused: the search has expired, or has no such page.
        """
        company = self._company
        opened = self.searches.get(search_id)
        try:
            life = company.switches.number("search_seconds")
            now = company.clock.now()
            lost = "job_lost" in tampering
            if opened is None or lost or (now - opened.used).total_seconds() > life:
                self.searches.pop(search_id, None)
                raise Refused("INVALID_JOB_ID", "The job id is not valid or has expired.")
            opened.used = now
            if "row_moved" in tampering:
                opened.gone |= self._first_row(opened, tampering["row_moved"])
            if not 1 <= page <= max(opened.pages, 1):
                raise Refused("INVALID_SEARCH_PAGE_INDEX", f"There is no page {page}.")
            return self._page(opened, page, search_id, tampering)
        except Refused as error:
            return self._result("searchResult", {}, "", failed(error))

    def _first_row(self, opened: OpenSearch, wanted: str) -> set[str]:
        """The record that a fault takes out of the search: the wanted one, else the first."""
        records = [one for one in found(self._company, opened.search.criteria) if one.internal_id not in opened.gone]
        named = [one for one in records if wanted in (one.internal_id, one["tranId"])] if wanted else records
        return {record.internal_id for record in named[:1]}

    def _page(self, opened: OpenSearch, page: int, search_id: str, tampering: Tampering) -> str:
        company = self._company
        settle_all(company)
        criteria = opened.search.criteria
        records = [record for record in found(company, criteria) if record.internal_id not in opened.gone]
        start, size = (page - 1) * opened.page_size, opened.page_size
        rows: Sequence[Any] = records
        if opened.search.columns is not None:
            rows = [row for record in records for row in matching_rows(company, record, criteria)]
        shown = rows[start : start + size]
        pages = -(-len(rows) // size)
        opened.pages = max(opened.pages, pages)
        if "short_page" in tampering:
            shown = shown[:-1]
        if opened.search.columns is None:
            inner = self._record_list(shown, opened.body_only, tampering)
        else:
            inner = self._row_list(shown, opened.search)
        numbers = {"totalRecords": len(rows), "pageSize": size, "totalPages": pages, "pageIndex": page}
        return self._result("searchResult", {**numbers, "searchId": search_id}, inner)

    def _row_list(self, rows: Sequence[Row], search: Search) -> str:
        assert search.columns is not None
        shape = SHAPES[search.columns.shape]
        writer = self.writer()
        shown = []
        for row in rows:
            cells = {name: [self._cell(row, name, shape.by_name[name].kind)] for name in search.columns}
            present = {name: cell for name, cell in cells.items() if cell[0] is not None}
            fields = Fields(search.row_shape, {"basic": Fields(shape.name, present)})
            shown.append(writer.element("platformCore", "searchRow", "SearchRow", fields))
        return f"<platformCore:searchRowList>{''.join(shown)}</platformCore:searchRowList>" if shown else ""

    def _cell(self, row: Row, name: str, kind: str) -> Fields | None:
        company = self._company
        documents = row.record.type.name in TRANSACTIONS
        value = row_value(company, row, name) if documents else list_value(company, row.record, name)
        if kind == "SearchColumnSelectField":
            # Columns give the id without a name (reference 3.3); an external id where that is what was asked for.
            if name == "externalId":
                return Fields(kind, {"searchValue": Ref(row.record.internal_id, row.record.external_id)})
            ids = sorted(value or ())
            return Fields(kind, {"searchValue": Ref(ids[0])}) if ids else None
        if name == "status" and value:
            value = str(value).removeprefix("_purchaseOrder").removeprefix("_bill")
            value = value[:1].lower() + value[1:]
        return None if value is None else Fields(kind, {"searchValue": value})

    # Deletions

    def get_deleted(self, asked: Fields, page: int) -> str:
        """getDeletedResult: what was deleted, by type and moment.

        Raises:
            Refused: deletions of that type are not recorded, or there is no such page.
        """
        company = self._company
        try:
            types = {str(one).removeprefix("_") for one in (asked.get("type") or {}).get("searchValue", ())}
            wrong = sorted(types & WITHOUT_DELETIONS)
            if wrong:
                raise Refused("INVALID_RCRD_TYPE", f"Deletions of {wrong[0]} are not recorded.")
            within = date_test(company, "deletedDate", asked["deletedDate"]) if "deletedDate" in asked else None
            gone = [one for one in company.deleted if one.type.name not in WITHOUT_DELETIONS]
            gone = [one for one in gone if not types or one.type.name in types]
            gone = [one for one in gone if within is None or within(one.moment)]
            size = int(company.switches.number("deleted_page_size"))
            pages = -(-len(gone) // size)
            if not 1 <= page <= max(pages, 1):
                raise Refused("INVALID_PAGE_INDEX", f"There is no page {page}.")
        except Refused as error:
            return self._result("getDeletedResult", {}, "", failed(error))
        shown = [
            Fields(
                "DeletedRecord",
                {
                    "deletedDate": one.moment,
                    "record": Ref(one.internal_id, one.external_id, one.type.name, one.name),
                },
            )
            for one in gone[(page - 1) * size : page * size]
        ]
        inner = self.writer().element("platformCore", "deletedRecordList", "DeletedRecordList", shown) if shown else ""
        numbers = {"totalRecords": len(gone), "pageSize": size, "totalPages": pages, "pageIndex": page}
        return self._result("getDeletedResult", numbers, inner)


def _chosen(records: Sequence[Record], tampering: Tampering) -> Record | None:
    """The record that a fault is about: the one it names, else the first."""
    kinds = [kind for kind in ("unknown_state", "missing_field", "duplicate_row") if kind in tampering]
    if not kinds:
        return None
    wanted = tampering[kinds[0]]
    named = [one for one in records if wanted in (one.internal_id, one["tranId"])] if wanted else list(records)
    return named[0] if named else None


def tampered(fields: Fields, record: Record, tampering: Tampering) -> Fields:
    """What a fault makes of a record: a status nobody knows, or no vendor."""
    wanted = tampering.get("unknown_state")
    if wanted is not None and wanted in ("", record.internal_id, record["tranId"]):
        fields = Fields(fields.shape, {**fields, "status": "Pending Something New"}, fields.attributes)
        fields.pop("orderStatus", None)
    wanted = tampering.get("missing_field")
    if wanted is not None and wanted in ("", record.internal_id, record["tranId"]):
        lacking = {name: value for name, value in fields.items() if name not in ("entity", "tranId")}
        fields = Fields(fields.shape, lacking, fields.attributes)
    return fields
