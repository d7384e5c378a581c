"""The key two spellings of one supplier invoice number share, for bills that come in from the ERP.

`matching/supplier_number.py` has the same rule for bills people enter. Neither side may import the other, so
`tests/store/test_number_key.py` holds the two together.
"""

import re
import unicodedata

_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")


def number_key(number: str) -> str:
    """The number without case, spaces, punctuation and leading zeros; `INV-001` and `inv 1` are one."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", number).casefold())
    key = "".join(character for character in folded if character.isalnum())
    return _LEADING_ZEROS.sub("", key) if key else folded.strip()
