"""What signing in takes, per ERP: names of credentials, the vendor's own address, polite calls at once."""

from erp.registry import CONNECTORS, SIGNING_IN
from models.domain import Erp


def test_every_erp_says_what_signing_in_takes() -> None:
    assert SIGNING_IN.keys() == CONNECTORS.keys() == set(Erp)


def test_netsuite_is_called_at_the_account_s_own_host() -> None:
    """Reference 1.1: lower case, and a hyphen for the underscore."""
    signing_in = SIGNING_IN[Erp.NETSUITE]
    assert signing_in.default_endpoint({"account": "1234567_SB1"}) == (
        "https://1234567-sb1.suitetalk.api.netsuite.com/services/NetSuitePort_2023_2"
    )
    # Several programs share the account's calls, of which the smallest account has five at once (reference 6.3).
    assert signing_in.max_in_flight == 2


def test_intacct_is_called_at_its_gateway() -> None:
    """Reference 1.1: one address for all; signing in names the company's own."""
    signing_in = SIGNING_IN[Erp.INTACCT]
    assert signing_in.default_endpoint({"company": "ACME"}) == "https://api.intacct.com/ia/xml/xmlgw.phtml"
    assert signing_in.missing({"company": "ACME", "user": "", "sender_id": "s"}) == [
        "sender_password",
        "user",
        "password",
    ]
    assert signing_in.unknown({"company": "ACME", "entity": "100", "pasword": "x"}) == ["pasword"]
