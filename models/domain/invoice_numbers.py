"""Say when two supplier invoice numbers are the same number."""

import re
import unicodedata

_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_RUNS = re.compile(r"\d+|[^\W\d_]+")


def number_key(number: str) -> str:
    """Return the number without what people type differently: case, spaces, punctuation and leading zeros.

    `INV-001`, `inv 001` and `Inv.1` have the same key. Punctuation goes first, so that `2024-001` and `2024001` agree.
    A number of nothing but punctuation keeps it: it is still told apart from another one.
    """
    folded = _folded(number)
    key = "".join(character for character in folded if character.isalnum())
    return _LEADING_ZEROS.sub("", key) if key else folded.strip()


def number_parts(number: str) -> str:
    """Return the number's runs of letters and of digits, in order, folded, without leading zeros, a space between two.

    `INV-001`, `inv 001`, `INV001` and `Inv.1` are all `inv 1`. Unlike the key, `1-11` is not `11-1`.
    """
    folded = _folded(number)
    runs = _RUNS.findall(folded)
    return " ".join(run.lstrip("0") or "0" if run.isdecimal() else run for run in runs) if runs else folded.strip()


def _folded(number: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", number).casefold())
