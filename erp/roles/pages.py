"""What a connector's reads return: pages of records, what changed, and what a scan for deletions found."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Generic, NamedTuple, TypeVar

from models.domain.ids import ErpId
from models.domain.lists import ListKind
from models.domain.record import Record
from models.domain.sync import MirroredIds, Stream

T = TypeVar("T", covariant=True)


class BadRecord(Record):
    """A record that cannot be read into our form. It becomes a sync issue under its name; all other records go on."""

    erp_id: str
    code: str
    message: str
    evidence: Mapping[str, str] = {}


class Page(NamedTuple, Generic[T]):
    """Some records, in the ERP's stable order.

    `after` resumes behind the last record; None: this was the last page. `high_water` is the highest revision on the
    page, by the ERP's own clock. It becomes the stream's next cursor once the whole stream was read, but never more
    than the ERP's clock showed when its reading began. `whole`: lists that this page ends, all of whose
    entries were read, and whose deletions no feed reports. `began` is when, by our clock, if that was before the call
    that returns the page, because an earlier call read the records.
    """

    records: Sequence[T]
    after: str | None
    high_water: str | None
    bad: Sequence[BadRecord] = ()
    began: datetime | None = None
    whole: frozenset[ListKind] = frozenset()


class RecordVersion(NamedTuple):
    """States that a record exists in this revision: enough to know whether we have it already."""

    stream: Stream
    kind: str
    """For lists the `ListKind`; for documents the name of their stream."""
    erp_id: ErpId
    revision: str


class ChangeSet(NamedTuple):
    """What changed since the cursors, as record versions: the answer to one call for a whole connection.

    `unread` names the streams with more changes than one answer holds; they must be read, whatever we have.
    `closed_through` is the last closed day of the books by entity ("" for the whole company); None: all its periods are
    open; an entity the ERP says nothing of is left out. `deletions_feed` is False if the delete feed was asked for and
    may not be read: deletions are then found by a deletion scan. `window` names what the connector keeps of this
    reading for the sync run that asked; empty: nothing.
    """

    record_versions: Sequence[RecordVersion]
    unread: frozenset[Stream]
    closed_through: Mapping[str, date | None] = {}
    deletions_feed: bool = True
    window: str = ""


class ScanResult(NamedTuple):
    """The result of a deletion scan."""

    gone: Sequence[MirroredIds]
    """Records that no longer exist, grouped like those given."""
    not_searched: Sequence[str] = ()
    """Entities that could not be entered; nothing is known of the records they own."""
