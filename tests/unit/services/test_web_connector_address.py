"""Which addresses a Web Connector takes."""

import pytest

from services.web_connector.logins import is_usable


@pytest.mark.parametrize(
    ("address", "usable"),
    [
        ("https://posync.example.com", True),
        ("http://localhost:8000", True),
        ("http://posync.example.com", False),
        ("https://192.0.2.7", False),
        ("https://[2001:db8::1]", False),
        ("http://127.0.0.1:8000", False),
    ],
)
def test_it_takes_https_and_a_name_or_this_machine(address: str, usable: bool) -> None:
    """Issue 12: TLS is expected, loopback is allowed."""
    assert is_usable(address) is usable
