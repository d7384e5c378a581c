"""Read the lists: vendors, accounts, items, dimensions, terms (reference 2.9)."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from erp.intacct import translate, wire
from erp.intacct.documents import changed_since
from erp.intacct.preferences import GLDIM
from erp.intacct.reader import IntacctReader
from erp.intacct.wire import Query, Row
from erp.roles.pages import Page
from models.domain.ids import ErpId
from models.domain.lists import ListEntry, ListKind, masked


class ListShape(NamedTuple):
    """One list: its object, its key and name, and the other fields we use, by our own names."""

    kind: ListKind
    object: str
    key: str
    name: str
    attributes: Mapping[str, str | tuple[str, ...]]
    """Our name to Intacct's field; of several fields, the first that has a value counts."""
    private: bool = True
    """True: its records can belong to one entity."""
    absent_by: frozenset[str] = frozenset()
    """The refusals that mean that a company does not have the list."""
    needed: bool = True
    """True: a sync needs the list; the preflight warns if the user may not read it."""
    ids_begin: str = ""
    """What our id of a record begins with, before its number: where a list is made of several objects, which number
    their records apart."""
    fixed: Mapping[str, str] = {}
    """Attributes that the object itself says."""
    masked: frozenset[str] = frozenset()
    """Of our names: those of which only the last four characters are kept."""
    number: str = "RECORDNO"
    """Its field of the record's number, by which a reading goes on."""
    stamped: bool = True
    """False: its records have no time of their last change, so they are read whole each time."""


SUBSCRIBED = frozenset({"QUERY_REFUSED"})
"""Refusals of lists that come with a subscription a company may not have."""

CONVENIENT = frozenset({"QUERY_REFUSED", "PERMISSION_DENIED", "FIELD_NOT_READABLE"})
"""Refusals of lists we can do without: without the units' factors, a person is asked for those that matter; projects,
customers and employees are names for coding, which the ERP checks itself."""

BANK_FIELDS: Mapping[str, str] = {
    "currency": "CURRENCY",
    "gl_account": "GLACCOUNTNO",
    "account_number": "BANKACCOUNTNO",
}
BANK_NUMBER = frozenset({"account_number"})

SHAPES: tuple[ListShape, ...] = (
    ListShape(
        ListKind.VENDOR,
        "VENDOR",
        "VENDORID",
        "NAME",
        {
            "term": "TERMNAME",
            "currency": "CURRENCY",
            "on_hold": "ONHOLD",
            "account": "APACCOUNT",
            "parent": "PARENTID",
            "email": "DISPLAYCONTACT.EMAIL1",
            "phone": ("DISPLAYCONTACT.CELLPHONE", "DISPLAYCONTACT.PHONE1"),
            "company_name": "DISPLAYCONTACT.COMPANYNAME",
            "first_name": "DISPLAYCONTACT.FIRSTNAME",
            "middle_name": "DISPLAYCONTACT.INITIAL",
            "last_name": "DISPLAYCONTACT.LASTNAME",
            "street_1": "DISPLAYCONTACT.MAILADDRESS.ADDRESS1",
            "street_2": "DISPLAYCONTACT.MAILADDRESS.ADDRESS2",
            "city": "DISPLAYCONTACT.MAILADDRESS.CITY",
            "state": "DISPLAYCONTACT.MAILADDRESS.STATE",
            "zip": "DISPLAYCONTACT.MAILADDRESS.ZIP",
            "payment_method": "PAYMETHODKEY",
            "bank_account": "ACHACCOUNTNUMBER",
        },
        masked=frozenset({"bank_account"}),
    ),
    ListShape(
        ListKind.GL_ACCOUNT,
        "GLACCOUNT",
        "ACCOUNTNO",
        "TITLE",
        {
            "account_type": "ACCOUNTTYPE",
            "normal_balance": "NORMALBALANCE",
            "category": "CATEGORY",
            "department_required": "REQUIREDEPT",
            "location_required": "REQUIRELOC",
        },
    ),
    ListShape(
        ListKind.ITEM,
        "ITEM",
        "ITEMID",
        "NAME",
        {
            "item_type": "ITEMTYPE",
            "unit_group": "UOMGRP",
            "purchase_description": "PODESCRIPTION",
            "gl_group": "GLGROUP",
            "category": ("PRODUCTLINEID", "GLGROUP"),
            "price_decimals": "PO_PRECISION",
        },
    ),
    ListShape(ListKind.DEPARTMENT, "DEPARTMENT", "DEPARTMENTID", "TITLE", {"parent": "PARENTID"}, absent_by=SUBSCRIBED),
    ListShape(
        ListKind.LOCATION,
        "LOCATION",
        "LOCATIONID",
        "NAME",
        {"parent": "PARENTID", "currency": "CURRENCY", "entity": "ENTITY"},
        private=False,
        absent_by=SUBSCRIBED,
    ),
    ListShape(
        ListKind.ENTITY,
        "LOCATIONENTITY",
        "LOCATIONID",
        "NAME",
        {"currency": "CURRENCY"},
        private=False,
        absent_by=SUBSCRIBED,
    ),
    ListShape(ListKind.CLASS, "CLASS", "CLASSID", "NAME", {"parent": "PARENTID"}, absent_by=SUBSCRIBED),
    ListShape(
        ListKind.PROJECT,
        "PROJECT",
        "PROJECTID",
        "NAME",
        {"parent": "PARENTID", "customer": "CUSTOMERID", "state": "PROJECTSTATUS", "category": "PROJECTCATEGORY"},
        absent_by=CONVENIENT,
        needed=False,
    ),
    ListShape(
        ListKind.CUSTOMER,
        "CUSTOMER",
        "CUSTOMERID",
        "NAME",
        {"parent": "PARENTID"},
        absent_by=CONVENIENT,
        needed=False,
    ),
    ListShape(
        ListKind.EMPLOYEE,
        "EMPLOYEE",
        "EMPLOYEEID",
        "PERSONALINFO.CONTACTNAME",
        {"location": "LOCATIONID", "department": "DEPARTMENTID"},
        absent_by=CONVENIENT,
        needed=False,
    ),
    ListShape(ListKind.TERM, "APTERM", "NAME", "DESCRIPTION", {"due_date": "DUEDATE", "due_from": "DUEFROM"}),
    ListShape(
        ListKind.BANK_ACCOUNT,
        "CHECKINGACCOUNT",
        "BANKACCOUNTID",
        "BANKNAME",
        BANK_FIELDS,
        absent_by=CONVENIENT,
        needed=False,
        ids_begin="checking:",
        fixed={"account_type": "checking"},
        masked=BANK_NUMBER,
    ),
    ListShape(
        ListKind.BANK_ACCOUNT,
        "SAVINGSACCOUNT",
        "BANKACCOUNTID",
        "BANKNAME",
        BANK_FIELDS,
        absent_by=CONVENIENT,
        needed=False,
        ids_begin="savings:",
        fixed={"account_type": "savings"},
        masked=BANK_NUMBER,
    ),
    ListShape(
        ListKind.BANK_ACCOUNT,
        "CREDITCARD",
        "CARDID",
        "DESCRIPTION",
        {"currency": "CURRENCY", "card_type": "CARDTYPE", "gl_account": "LIABACCTNO"},
        absent_by=CONVENIENT,
        needed=False,
        ids_begin="card:",
        fixed={"account_type": "credit card"},
    ),
    ListShape(ListKind.UNIT_GROUP, "UOM", "NAME", "NAME", {}, private=False, absent_by=CONVENIENT, needed=False),
    ListShape(
        ListKind.UNIT,
        "UOMDETAIL",
        "UNIT",
        "UNIT",
        {"group": "GRPKEY", "factor": "CONVFACTOR"},
        private=False,
        absent_by=CONVENIENT,
        needed=False,
    ),
)


def list_query(shape: ListShape, since: str | None, after: str | None = None, where: str = "") -> Query:
    """Return the query for the entries of a list changed since a cursor, of those for which `where` holds."""
    attributes = dict.fromkeys(field for fields in shape.attributes.values() for field in _fields(fields))
    optional = ("WHENCREATED", "STATUS", *attributes, *(("MEGAENTITYID",) if shape.private else ()))
    fields = ("RECORDNO", shape.key, "WHENMODIFIED")
    if shape.name != shape.key:
        optional = (shape.name, *optional)
    if not shape.stamped:
        names = (shape.name, *attributes)
        return Query(
            shape.object, (shape.number,), "", optional=names, key=shape.number, after=after, absent_by=shape.absent_by
        )
    # For lists WHENCREATED is a true stamp, unlike on transactions (reference 2.5 points 2 and 3).
    where = wire.all_of(where, changed_since(since, "WHENCREATED"))
    return Query(shape.object, fields, where, optional=optional, after=after, absent_by=shape.absent_by)


def _fields(theirs: str | tuple[str, ...]) -> tuple[str, ...]:
    return (theirs,) if isinstance(theirs, str) else theirs


class Lists:
    """Reads the lists of one connection."""

    def __init__(self, reader: IntacctReader, home_level: str | None, line_fields: Mapping[str, str]) -> None:
        self._reader = reader
        self._level = home_level
        self._shapes = (*SHAPES, *dimension_shapes(line_fields))

    async def page(self, kinds: Sequence[ListKind], *, since: str | None, after: str | None) -> Page[ListEntry]:
        """Read a page over several lists: one request carries the next page of each (`after`: OBJECT=number,...)."""
        resume = _resume_points(after)
        shapes = [shape for shape in self._shapes if shape.kind in kinds and (after is None or shape.object in resume)]
        if not shapes:
            return Page((), None, None)
        queries = [list_query(shape, since, resume.get(shape.object)) for shape in shapes]
        pages = await self._reader.first_pages(queries, level=self._level)
        entries: list[ListEntry] = []
        bad = []
        for shape, page in zip(shapes, pages, strict=True):
            good, unusable = translate.usable(page.rows, partial(list_entry, shape))
            entries += good
            bad += unusable
        behind = [f"{shape.object}={page.last}" for shape, page in zip(shapes, pages, strict=True) if page.more]
        high_water = max((entry.revision for entry in entries if entry.revision), default=None)
        unread = {shape.kind for shape, page in zip(shapes, pages, strict=True) if page.more or page.absent}
        # Its lists are small; one that goes on beyond a page is compared another time.
        whole = {ListKind.CUSTOM_DIMENSION} - unread if after is None and ListKind.CUSTOM_DIMENSION in kinds else set()
        return Page(entries, ",".join(behind) or None, high_water, bad, whole=frozenset(whole))

    async def gone(self, kind: ListKind, erp_ids: Sequence[ErpId]) -> Sequence[ErpId]:
        """Return which values of the company's own dimensions Intacct does not have any more. Deletions of all other
        lists have a feed, or a scan."""
        if kind is not ListKind.CUSTOM_DIMENSION:
            return ()
        shapes = [shape for shape in self._shapes if shape.kind is kind]
        there: set[ErpId] = set()
        for shape, rows in zip(
            shapes,
            await self._reader.all_rows([list_query(shape, None) for shape in shapes], level=self._level),
            strict=True,
        ):
            there |= {ErpId(shape.ids_begin + row.get(shape.number, "")) for row in rows}
        return [erp_id for erp_id in erp_ids if erp_id not in there]


def dimension_shapes(line_fields: Mapping[str, str]) -> tuple[ListShape, ...]:
    """Return the lists of the values of the company's own dimensions: each is an object of the dimension's own name
    (reference 2.9)."""
    return tuple(
        ListShape(
            ListKind.CUSTOM_DIMENSION,
            field.removeprefix(GLDIM),
            "ID",
            "NAME",
            {},
            private=False,
            absent_by=CONVENIENT,
            needed=False,
            ids_begin=f"{field.removeprefix(GLDIM)}:",
            fixed={"dimension": name},
            number="ID",
            stamped=False,
        )
        for name, field in line_fields.items()
        if field.startswith(GLDIM)
    )


def _resume_points(after: str | None) -> dict[str, str]:
    if after is None:
        return {}
    pairs = (part.partition("=") for part in after.split(","))
    return {name: number for name, _, number in pairs}


def list_entry(shape: ListShape, row: Row) -> ListEntry:
    """Return a row of a list's query as an entry."""
    key = translate.need(row, shape.key)
    version = row.get("WHENMODIFIED") or row.get("WHENCREATED")
    return ListEntry(
        kind=shape.kind,
        erp_id=ErpId(shape.ids_begin + translate.need(row, shape.number)),
        key=key,
        name=row.get(shape.name, key),
        active=row.get("STATUS", "active").casefold() in ("active", "t"),
        entity=row.get("MEGAENTITYID"),
        revision=translate.readable("WHENMODIFIED", version, wire.sortable_time) if version else None,
        attributes={
            **shape.fixed,
            **{
                ours: masked(value) if ours in shape.masked else value
                for ours, theirs in shape.attributes.items()
                if (value := next((row[field] for field in _fields(theirs) if field in row), None)) is not None
            },
        },
    )
