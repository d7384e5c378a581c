"""Fields that a record does not hold itself: what related records say, and what is worked out for each answer."""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable

from sandbox.intacct.company import Company
from sandbox.intacct.formats import parse_date
from sandbox.intacct.object_types import ObjectType
from sandbox.intacct.objects import OBJECTS
from sandbox.intacct.tables import Values

_COMPUTED = frozenset({"DUE_IN_DAYS", "RECORD_URL"})


def filler(company: Company, kind: ObjectType, names: Iterable[str]) -> Callable[[Values], Values] | None:
    """Return what completes a record's values by those of `names` that it does not hold; None when it holds all."""
    wanted = [name for name in names if name in _COMPUTED or name in kind.derived or _hop(kind, name) is not None]
    if not wanted:
        return None

    def fill(values: Values) -> Values:
        complete = Values(values)
        for name in wanted:
            complete[name] = value_of(company, kind, values, name)
        return complete

    return fill


def value_of(company: Company, kind: ObjectType, values: Values, name: str) -> str:
    """Return one field of a record, wherever it comes from."""
    if name == "DUE_IN_DAYS" and name in kind.fields:
        return str((parse_date(values["WHENDUE"]) - company.today()).days) if values["WHENDUE"] else ""
    if name == "RECORD_URL" and name in kind.fields:
        token = urlsafe_b64encode(f"{kind.name}:{values['RECORDNO']}".encode()).decode()
        return f"https://www.intacct.com/ia/acct/ur.phtml?.r={token}"
    hop = kind.derived.get(name) or _hop(kind, name)
    if hop is None:
        return values[name]
    target, ours, theirs = hop
    key = value_of(company, kind, values, ours)
    related = company[target].first(OBJECTS[target].key, key) if key else None
    return value_of(company, OBJECTS[target], related.values, theirs) if related else ""


def _hop(kind: ObjectType, name: str) -> tuple[str, str, str] | None:
    """`VENDOR.CREDITLIMIT` as (object, our field that names it, its field); None for a field of the object's own."""
    prefix, dot, rest = name.partition(".")
    if not dot or name in kind.fields or prefix not in kind.relations:
        return None
    target, ours = kind.relations[prefix]
    return target, ours, rest
