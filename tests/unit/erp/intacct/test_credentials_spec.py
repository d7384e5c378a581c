"""What signing in takes, per ERP: names of credentials, the vendor's own address, polite calls at once."""

from erp.registry import CREDENTIALS_SPECS, connectors
from models.domain.connections import Erp


def test_every_erp_says_what_signing_in_takes() -> None:
    assert CREDENTIALS_SPECS.keys() == connectors().keys() == set(Erp)


def test_netsuite_is_called_at_the_account_s_own_host() -> None:
    """Reference 1.1: lower case, and a hyphen for the underscore."""
    credentials_spec = CREDENTIALS_SPECS[Erp.NETSUITE]
    assert credentials_spec.default_endpoint({"account": "1234567_SB1"}) == (
        "https://1234567-sb1.suitetalk.api.netsuite.com/services/NetSuitePort_2023_2"
    )
    # Several programs share the account's calls, of which the smallest account has five at once (reference 6.3).
    assert credentials_spec.max_in_flight == 2


def test_intacct_is_called_at_its_gateway() -> None:
    """Reference 1.1: one address for all; signing in names the company's own."""
    credentials_spec = CREDENTIALS_SPECS[Erp.INTACCT]
    assert credentials_spec.default_endpoint({"company": "ACME"}) == "https://api.intacct.com/ia/xml/xmlgw.phtml"
    assert credentials_spec.missing({"company": "ACME", "user": "", "sender_id": "s"}) == [
        "user",
        "password",
        "sender_password",
    ]
    assert credentials_spec.unknown({"company": "ACME", "entity": "100", "pasword": "x"}) == ["pasword"]
