"""Write the gateway's requests and read its values (reference sections 1, 2.1, 2.4).

Requests are put together as text, and every value is escaped here. Answers are lxml elements, read by `rows` and the
value readers. Nothing here knows what a purchase order is.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from erp import xml_answer
from erp.errors import ErpError
from erp.transport import malformed

MAX_PAGE_SIZE = 2000
MAX_IN_VALUES = 1000
MAX_READ_KEYS = 100

MOST_DIGITS = 17
"""Digits before the point beyond which a number is no quantity and no amount of anything."""

# Characters XML 1.0 cannot carry at all; a memo pasted from a PDF may hold some.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def text(value: str) -> str:
    """Return the value as XML text; characters that no XML document can hold are left out."""
    return escape(_NOT_XML.sub("", value))


def words(value: str) -> str:
    """Return the text as it can arrive, for comparisons: without what XML cannot carry, and with white space as one
    space."""
    return " ".join(_NOT_XML.sub("", value).split())


def element(name: str, value: str | None) -> str:
    """Return `<name>value</name>`, or nothing when there is no value."""
    return "" if value is None or value == "" else f"<{name}>{text(value)}</{name}>"


def empty_or(name: str, value: str | None) -> str:
    """Return `<name>value</name>`. The element is always there, because some must be sent even when empty."""
    return f"<{name}>{text(value or '')}</{name}>"


def legacy_date(name: str, day: date) -> str:
    """Return the three-part date of the object-specific functions (section 2.4)."""
    return f"<{name}><year>{day.year}</year><month>{day.month}</month><day>{day.day}</day></{name}>"


def generic_date(day: date) -> str:
    """Return a date as the generic functions take it."""
    return day.strftime("%m/%d/%Y")


def generic_time(instant: datetime) -> str:
    """Return a time as the generic functions take it."""
    return instant.strftime("%m/%d/%Y %H:%M:%S")


# --- conditions of a query -------------------------------------------------------------------------------------


def equal(field: str, value: str) -> str:
    """Return the condition that the field has the value."""
    return f"<equalto><field>{field}</field><value>{text(value)}</value></equalto>"


def greater(field: str, value: str) -> str:
    """Return the condition that the field is greater than the value."""
    return f"<greaterthan><field>{field}</field><value>{text(value)}</value></greaterthan>"


def at_least(field: str, value: str) -> str:
    """Return the condition that the field is the value or greater."""
    return f"<greaterthanorequalto><field>{field}</field><value>{text(value)}</value></greaterthanorequalto>"


def missing(field: str) -> str:
    """Return the condition that the field has no value."""
    return f"<isnull><field>{field}</field></isnull>"


def one_of(field: str, values: Iterable[str]) -> str:
    """Return the condition that the field has one of the values: one `in` per 1,000 values, all under one `or` (section
    2.1)."""
    listed = list(values)
    parts = []
    for start in range(0, len(listed), MAX_IN_VALUES):
        inside = "".join(f"<value>{text(value)}</value>" for value in listed[start : start + MAX_IN_VALUES])
        parts.append(f"<in><field>{field}</field>{inside}</in>")
    return any_of(*parts)


def all_of(*conditions: str) -> str:
    """Return the condition that all given ones hold. Empty ones are left out, because the gateway wants two or more
    children in an `and`."""
    given = [condition for condition in conditions if condition]
    return given[0] if len(given) == 1 else f"<and>{''.join(given)}</and>" if given else ""


def any_of(*conditions: str) -> str:
    """Return the condition that at least one of the given ones holds."""
    given = [condition for condition in conditions if condition]
    return given[0] if len(given) == 1 else f"<or>{''.join(given)}</or>" if given else ""


# --- functions -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Query:
    """One page of a `query`, ordered by an integer key and resumed behind the last key seen.

    An offset would shift while data changes, and show rows twice or never; a key does not (section 2.1).
    """

    object: str
    fields: Sequence[str]
    where: str
    optional: Sequence[str] = ()
    """Further fields, requested only while this tenant can read them."""
    key: str = "RECORDNO"
    after: str | None = None
    maxima: Sequence[str] = ()
    """Fields to take the maximum of; the answer then has one row per group of `fields`."""
    docparid: str | None = None
    absent_by: frozenset[str] = frozenset()
    """The refusals that mean that a company lacks the object (a subscription, a right); it then has no records."""

    def xml(self, *, page_size: int, show_private: bool, without: Collection[str] = ()) -> str:
        """Return the function's body as XML; `without` names optional fields that this tenant does not have."""
        asked = (*self.fields, *(field for field in self.optional if field not in without))
        selected = "".join(f"<field>{field}</field>" for field in asked)
        selected += "".join(f"<max>{field}</max>" for field in self.maxima)
        where = all_of(self.where, greater(self.key, self.after) if self.after else "")
        return "".join(
            (
                "<query>",
                f"<object>{self.object}</object>",
                element("docparid", self.docparid),
                f"<select>{selected}</select>",
                f"<filter>{where}</filter>" if where else "",
                f"<orderby><order><field>{self.key}</field><ascending/></order></orderby>",
                "<options><showprivate>true</showprivate></options>" if show_private else "",
                f"<pagesize>{page_size}</pagesize>",
                "<offset>0</offset>",
                "</query>",
            )
        )


def read(object_name: str, keys: Iterable[str], docparid: str | None = None) -> str:
    """Return a `read` of up to 100 records by RECORDNO, with the lines they own (section 2.3)."""
    listed = ",".join(text(key) for key in keys)
    document_type = element("docparid", docparid)
    return f"<read><object>{object_name}</object><keys>{listed}</keys><fields>*</fields>{document_type}</read>"


def user_formatting(user: str) -> str:
    """Return the function that asks how the user's dates and times are shown (section 2.4)."""
    return f"<readUserFormatting><userId>{text(user)}</userId></readUserFormatting>"


def company_preferences(application: str) -> str:
    """Return the function that reads a module's settings (section 7.2)."""
    return f'<get_companyprefs application="{application}"/>'


def applications() -> str:
    """Return the function that lists the subscribed modules (section 7.2)."""
    return "<get_applications/>"


def user_permissions(user: str) -> str:
    """Return the function that reads what the user's roles allow (section 7.2)."""
    return f"<getUserPermissions><userId>{text(user)}</userId></getUserPermissions>"


def look_up(name: str) -> str:
    """Return the function that lists an object's fields (section 2.3)."""
    return f"<lookup><object>{name}</object></lookup>"


def financial_setup() -> str:
    """Return the function that reads the currency of the books, and whether entities have their own (section 7.2)."""
    return "<getFinancialSetup/>"


def closed_books() -> str:
    """Return the function that reads the last closed day at the session's level (section 7.2)."""
    return "<get_closedbooksdate/>"


def function(control_id: str, body: str) -> str:
    """Return a function element with its control id."""
    return f"<function controlid={quoteattr(control_id)}>{body}</function>"


def request(
    *,
    sender_id: str,
    sender_password: str,
    control_id: str,
    authentication: str,
    functions: Iterable[str],
    unique: bool,
    transaction: bool,
) -> bytes:
    """Return the whole request. With `unique`, the gateway refuses a function control id that it has executed before
    (section 5)."""
    yes_no = {True: "true", False: "false"}
    return (
        '<?xml version="1.0" encoding="UTF-8"?><request><control>'
        f"<senderid>{text(sender_id)}</senderid><password>{text(sender_password)}</password>"
        f"<controlid>{text(control_id)}</controlid><uniqueid>{yes_no[unique]}</uniqueid>"
        "<dtdversion>3.0</dtdversion><includewhitespace>false</includewhitespace>"
        "<showadditionalerrorinfo>true</showadditionalerrorinfo></control>"
        f'<operation transaction="{yes_no[transaction]}"><authentication>{authentication}</authentication>'
        f"<content>{''.join(functions)}</content></operation></request>"
    ).encode()


def login(user: str, company: str, password: str, entity: str | None) -> str:
    """Return the login element."""
    return (
        f"<login><userid>{text(user)}</userid><companyid>{text(company)}</companyid>"
        f"<password>{text(password)}</password>{element('locationid', entity)}</login>"
    )


# --- answers ---------------------------------------------------------------------------------------------------

Row = dict[str, str]
"""One record: element name to text. Empty elements are left out, because empty means null (section 2.4)."""


def parse(body: bytes) -> etree._Element:
    """Return the answer's root.

    Raises:
        etree.XMLSyntaxError: it is not XML.
        ValueError: it is XML of a forbidden form.
    """
    return xml_answer.parse(body)


def rows(data: etree._Element) -> list[Row]:
    """Return the records of a `data` element as flat rows."""
    # Untyped, because lxml types a tag as several kinds of text and this runs for every field of every record.
    records: Any = data
    return [{child.tag: text for child in record if (text := child.text)} for record in records]


def flat(record: etree._Element) -> Row:
    """Return a record of `read` without its own lines; a nested `TERM/NAME` is read as `TERM.NAME` (section 2.6)."""
    # Untyped, as in `rows`.
    fields: Any = record
    result: Row = {}
    for child in fields:
        if len(child):
            for inner in child:
                if (text := inner.text) and not len(inner):
                    result[f"{child.tag}.{inner.tag}"] = text
        elif text := child.text:
            result[child.tag] = text
    return result


def owned_rows(record: etree._Element, owner: str, fields: Iterable[str] = ()) -> list[Row]:
    """Return the lines that a record owns in the answer of `read`, with these of their fields, or all. The list's name
    comes in either case (section 2.6)."""
    for child in record.iterchildren(owner, owner.lower()):
        lines: Any = child
        return [{field.tag: text for field in line.iterchildren(*fields) if (text := field.text)} for line in lines]
    return []


@lru_cache(maxsize=8192)
def sortable_time(value: str) -> str:
    """Return `07/01/2031 10:00:00` as `2031-07-01 10:00:00`, which sorts as text; dates get midnight.

    Results are cached, because the records of a page share their times.

    Raises:
        ValueError: any other form. A wrong time that sorts high would become a cursor and hide all that
            follows.
    """
    if len(value) >= 10 and value[2] == "/" and value[5] == "/":
        value = f"{value[6:10]}-{value[:2]}-{value[3:5]}{value[10:]}"
    return datetime.fromisoformat(value).strftime("%Y-%m-%d %H:%M:%S")


def day(value: str) -> date:
    """Return `07/01/2031` or `07/01/2031 10:00:00` as a date.

    Raises:
        ValueError: any other form.
    """
    if len(value) >= 10 and value[2] == "/" and value[5] == "/":
        return date(int(value[6:10]), int(value[:2]), int(value[3:5]))
    return date.fromisoformat(value[:10])


def decimal(value: str) -> Decimal:
    """Return an exact, finite decimal.

    Raises:
        ValueError: the text is no such number.
    """
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"not a number: {value!r}") from None
    if not number.is_finite():
        raise ValueError(f"not a finite number: {value!r}")
    if number.adjusted() > MOST_DIGITS:
        raise ValueError(f"more than any quantity or amount: {value[:40]!r}")
    return number


def plain(number: Decimal) -> str:
    """Return a decimal as the gateway takes it: point, no exponent, no needless zeros."""
    shown = format(number, "f")
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


class Result(NamedTuple):
    """The result of one function. `key` is what legacy writes return, `data` what reads and generic writes return."""

    key: str | None
    data: etree._Element | None
    fault: ErpError | None

    def rows_element(self) -> etree._Element:
        """Return the `data` element.

        Raises:
            ErpError: the function's own error.
            MalformedAnswer: there is no `data` element.
        """
        if self.fault is not None:
            raise self.fault
        if self.data is None:
            raise malformed("A read was answered without data.", writing=False)
        return self.data
