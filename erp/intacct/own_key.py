"""Keep our key on a bill of Accounts Payable, where no person types (reference 5).

Its number is the supplier's and its reference is for people. So the key is in the custom field that the preference
`ap_bill_key_field` names; without that, it ends the description.
"""

import re
from typing import NamedTuple

from erp.intacct.wire import Row
from models.domain.ids import ExternalKey

_AT_THE_END = re.compile(r"\s*\[(PSB-[0-9A-Z-]+)\]\s*$", re.IGNORECASE)


class Description(NamedTuple):
    """A description as people wrote it, and our key behind it, if it has one."""

    memo: str
    key: ExternalKey | None


def written(memo: str, key: ExternalKey, field: str | None) -> str:
    """Return the description to send."""
    return memo if field else f"{memo} [{key}]".strip()


def split(description: str) -> Description:
    """Return the description without our key."""
    match = _AT_THE_END.search(description)
    if match is None:
        return Description(description, None)
    return Description(description[: match.start()], ExternalKey(match.group(1).upper()))


def key_of(row: Row, field: str | None) -> ExternalKey | None:
    """Return our key on a bill; None: it has none."""
    if field and row.get(field):
        return ExternalKey(row[field])
    return split(row.get("DESCRIPTION", "")).key
