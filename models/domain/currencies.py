"""How many decimals a currency has (ISO 4217): money is rounded to them, half up, line by line."""

DECIMALS = 2
"""Of every currency that is not named below."""

_WITHOUT = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"

OTHER_DECIMALS = {
    **dict.fromkeys(_WITHOUT.split(), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}

ASSUMED_BASE_CURRENCY = "USD"
"""What a connection's books are taken for until the ERP, or a person, says it."""


def decimals_of(currency: str) -> int:
    """Return how many decimals amounts in this currency have."""
    return OTHER_DECIMALS.get(currency, DECIMALS)
