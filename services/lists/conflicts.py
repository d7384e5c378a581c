"""Settle a change field by field: what the ERP holds now, what both sides agreed on last, and what a person wants."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from models.domain.list_changes import FieldConflict, ListMaster, same


class Settled(NamedTuple):
    """What becomes of a change."""

    to_send: Mapping[str, str]
    """The values that go to the ERP."""
    conflicts: Sequence[FieldConflict]
    """The fields that both sides had changed."""

    @property
    def set_aside(self) -> bool:
        """Return whether values of ours are not sent."""
        return any(one.kept is ListMaster.ERP for one in self.conflicts)


def settle(
    wanted: Mapping[str, str], agreed: Mapping[str, str | None], there: Mapping[str, str], master: ListMaster
) -> Settled:
    """Return what is sent, and what conflicts. A field that the ERP shows as it is wanted needs nothing; one that only
    we changed is sent; of one that both sides changed the master's value stays."""
    to_send: dict[str, str] = {}
    conflicts: list[FieldConflict] = []
    for field, ours in wanted.items():
        theirs, base = there.get(field), agreed.get(field)
        if same(ours, theirs):
            continue
        if not same(base or "", theirs):
            conflicts.append(FieldConflict(field=field, agreed=base, here=ours, there=theirs, kept=master))
            if master is ListMaster.ERP:
                continue
        to_send[field] = ours
    return Settled(to_send, conflicts)
