"""Bank and card accounts: read from the ERP, listed, one default, one per payment (S2-65, S2-66, S2-74, S2-75)."""

from decimal import Decimal

import httpx

from tests.harness.sandbox_company import SandboxCompany, today
from tests.harness.stack_client import StackClient, refused

CARDS = {
    "bank_accounts": [
        {"bank_account_id": "SAV", "name": "Savings", "type": "savings", "account_number": "000111222333"},
        {"bank_account_id": "VISA", "name": "Company card", "type": "card"},
        {"bank_account_id": "OLD", "name": "Closed account", "status": "inactive"},
    ]
}


async def test_accounts_come_in_with_their_type_and_the_default(api: StackClient, company: SandboxCompany) -> None:
    """S2-66, S2-74, S2-75, S2-88: a bank account is one of an active checking or savings account, a card is a card; of
    a bank account's number four digits are kept."""
    company.load(**CARDS)
    company.order("PO-1")
    await api.start()
    listed = {one["key"]: one for one in await api.items(f"/v1/connections/{api.connection_id}/bank-accounts")}
    assert {key: (one["type"], one["active"], one["default"]) for key, one in listed.items()} == {
        "BOA": ("bank", True, True),
        "OLD": ("bank", False, False),
        "SAV": ("bank", True, False),
        "VISA": ("card", True, False),
    }
    assert listed["SAV"]["account_number"] == "****2333"
    assert listed["SAV"]["gl_account"] == "1000"


async def test_a_payment_names_an_account_of_its_methods_type(api: StackClient, company: SandboxCompany) -> None:
    """S2-65, S5-42: the default where none is named; an inactive, unknown or unfit one is refused before it goes."""
    company.load(**CARDS)
    company.order("PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "8"})

    async def pay(**more: str) -> httpx.Response:
        body = {"amount": "10.00", "pay_on": today().isoformat(), **more}
        return await api.post(f"/v1/bills/{bill['id']}/payments", body)

    refused(await pay(bank_account="OLD"), 422, "BANK_ACCOUNT_INACTIVE")
    refused(await pay(bank_account="NONE"), 422, "BANK_ACCOUNT_UNKNOWN")
    refused(await pay(bank_account="VISA", method="eft"), 422, "BANK_ACCOUNT_OF_OTHER_TYPE")
    refused(await pay(method="card"), 422, "BANK_ACCOUNT_OF_OTHER_TYPE")
    for more in ({"bank_account": "VISA"}, {"bank_account": "SAV"}, {}):
        answer = await pay(**more)
        assert answer.status_code == 201, answer.text
        await api.payment_is(answer.json()["payment"]["id"], "paid")
    sent = {one["bank_account"]: one for one in company.held("payments")}
    assert {key: Decimal(one["amount"]) for key, one in sent.items()} == {"VISA": 10, "SAV": 10, "BOA": 10}
    assert sent["VISA"]["method"] == "Credit Card"
