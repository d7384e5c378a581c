"""When two supplier invoice numbers are the same number."""

import re
import unicodedata

_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")


def number_key(number: str) -> str:
    """The number without what people type differently: case, spaces, punctuation and leading zeros (rules 3.5).

    `INV-001`, `inv 001` and `Inv.1` have the same key. Punctuation goes first, so that `2024-001` and `2024001` agree.
    A number of nothing but punctuation keeps it: it is still told apart from another one.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", number).casefold())
    key = "".join(character for character in folded if character.isalnum())
    return _LEADING_ZEROS.sub("", key) if key else folded.strip()
