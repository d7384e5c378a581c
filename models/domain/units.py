"""Say when two names of a unit of measure are the same unit."""


def unit_key(unit: str) -> str:
    """Return what two spellings of one unit share: case and spaces do not count."""
    return " ".join(unit.split()).casefold()
