"""Payments and credits: what a line may name, what is left of its target, and what deleting or voiding gives back."""

from typing import Any

import pytest

from tests.unit.sandbox.quickbooks_online.books import Books, bill_of, payment_of

Record = dict[str, Any]


@pytest.fixture
async def bill(books: Books) -> Record:
    order = await books.order()
    return await books.save("Bill", bill_of(order, (1, "10"), (2, "10")))


async def test_a_payment_lowers_the_balance_and_is_named(books: Books, bill: Record) -> None:
    """Reference 6.3: the bill's token moves, and the link goes back."""
    payment = await books.save("BillPayment", payment_of(bill, "60", DocNumber="CHK-1"))
    assert payment["Line"] == [{"Amount": 60, "LinkedTxn": [{"TxnId": bill["Id"], "TxnType": "Bill"}]}]
    assert payment["CheckPayment"]["BankAccountRef"]["name"] == "Bank of America"
    now = await books.read("Bill", bill["Id"])
    assert (now["Balance"], now["SyncToken"]) == (40, "1")
    assert now["LinkedTxn"][-1] == {"TxnId": payment["Id"], "TxnType": "BillPaymentCheck"}
    assert (await books.read("Vendor", "1"))["Balance"] == 40
    card = {"PayType": "CreditCard", "CreditCardPayment": {"CCAccountRef": {"value": "5"}}}
    await books.save("BillPayment", payment_of(bill, "40", **card))
    now = await books.read("Bill", bill["Id"])
    assert (now["Balance"], now["LinkedTxn"][-1]["TxnType"]) == (0, "BillPaymentCreditCard")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"PayType": None}, "2020"),
        ({"CheckPayment": None}, "2020"),
        ({"TotalAmt": None}, "2020"),
        ({"TotalAmt": 50}, "6000"),
        ({"TotalAmt": -1}, "2290"),
        ({"CheckPayment": {"BankAccountRef": {"value": "8"}}}, "6430"),
        ({"VendorRef": {"value": "2"}}, "6000"),
        ({"APAccountRef": {"value": "9"}}, "6000"),
        ({"Line": [{"Amount": 60, "LinkedTxn": [{"TxnId": "99", "TxnType": "Bill"}]}]}, "2500"),
        ({"Line": [{"Amount": 60, "LinkedTxn": [{"TxnId": "1", "TxnType": "Deposit"}]}]}, "2500"),
        ({"Line": [{"Amount": 60}]}, "2020"),
        ({"Line": []}, "2020"),
        ({"TotalAmt": 101, "Line": [{"Amount": 101, "LinkedTxn": [{"TxnId": "1", "TxnType": "Bill"}]}]}, "6000"),
    ],
)
async def test_a_payment_that_is_wrong_is_refused(books: Books, bill: Record, changed: Record, code: str) -> None:
    """Reference 6.3, 7."""
    await books.save("Vendor", {"DisplayName": "Other"})
    await books.save("Account", {"Name": "Other payables", "AccountType": "Accounts Payable"})
    assert await books.refused("BillPayment", payment_of(bill, "60") | changed) == code
    assert (await books.read("Bill", bill["Id"]))["Balance"] == 100


async def test_a_total_above_its_lines_is_accepted(books: Books, bill: Record) -> None:
    """Reference 6.3: a bug of the client that the service does not report."""
    payment = await books.save("BillPayment", payment_of(bill, "60") | {"TotalAmt": 75})
    assert payment["TotalAmt"] == 75


async def test_deleting_and_voiding_give_back(books: Books, bill: Record) -> None:
    """Reference 3.5, 6.3."""
    payment = await books.save("BillPayment", payment_of(bill, "60"))
    named = {"Id": payment["Id"], "SyncToken": "0"}
    assert await books.refused("BillPayment", named, operation="void") == "500"
    answer = await books.call("POST", "billpayment", {**named, "sparse": True}, operation="update", include="void")
    voided = answer.json()["BillPayment"]
    assert (voided["status"], voided["TotalAmt"], voided["Line"]) == ("Voided", 0, [])
    now = await books.read("Bill", bill["Id"])
    assert (now["Balance"], [link["TxnType"] for link in now["LinkedTxn"]]) == (100, ["PurchaseOrder"])
    payment = await books.save("BillPayment", payment_of(bill, "100"))
    await books.call("POST", "billpayment", {"Id": payment["Id"], "SyncToken": "0"}, operation="delete")
    assert (await books.read("Bill", bill["Id"]))["Balance"] == 100


async def test_a_changed_payment_and_bill(books: Books, bill: Record) -> None:
    payment = await books.save("BillPayment", payment_of(bill, "60"))
    body = payment_of(bill, "100") | {"Id": payment["Id"], "SyncToken": "0"}
    await books.save("BillPayment", body)
    assert (await books.read("Bill", bill["Id"]))["Balance"] == 0
    header = {"Id": payment["Id"], "SyncToken": "1", "sparse": True, "PrivateNote": "x"}
    assert (await books.save("BillPayment", header))["TotalAmt"] == 100
    smaller = {"Id": bill["Id"], "SyncToken": (await books.read("Bill", bill["Id"]))["SyncToken"], "sparse": True}
    line = {"Amount": 20, "AccountBasedExpenseLineDetail": {"AccountRef": {"value": "8"}}}
    assert await books.refused("Bill", {**smaller, "Line": [line]}) == "6000"
    await books.act("delete", kind="bill", number="INV-1")
    [payment] = await books.held("payments")
    assert (payment["amount"], payment["details"]) == ("100", [])


async def test_a_credit_is_set_against_a_bill(books: Books, bill: Record) -> None:
    """Reference 6.3, 6.4: the total is what is paid in cash, and may be nothing."""
    line = {"Amount": 30, "AccountBasedExpenseLineDetail": {"AccountRef": {"value": "8"}}}
    credit = await books.save("VendorCredit", {"VendorRef": bill["VendorRef"], "Line": [line], "DocNumber": "CR-1"})
    assert (credit["Balance"], (await books.read("Vendor", "1"))["Balance"]) == (30, 70)
    body = payment_of(bill, "100") | {"TotalAmt": 70}
    body["Line"].append({"Amount": 30, "LinkedTxn": [{"TxnId": credit["Id"], "TxnType": "VendorCredit"}]})
    await books.save("BillPayment", body)
    assert (await books.read("Bill", bill["Id"]))["Balance"] == 0
    assert (await books.read("VendorCredit", credit["Id"]))["Balance"] == 0
    assert (await books.read("Vendor", "1"))["Balance"] == 0


async def test_people_pay_in_the_screens(books: Books, bill: Record) -> None:
    await books.act("add_credit", vendor_id="V-1", number="CR-1", amount="25")
    applied = await books.act("apply_credit", number="CR-1", bill="INV-1")
    assert (applied["amount"], len(applied["details"])) == ("0", 2)
    paid = await books.act("pay_bill", number="INV-1", document_number="CHK-1")
    assert paid["amount"] == "75"
    assert (await books.one("bills", "INV-1"))["due"] == "0"
    assert (await books.act("void_payment", document_number="CHK-1"))["state"] == "Voided"
    assert (await books.one("bills", "INV-1"))["due"] == "75"
    await books.act("pay_bill", number="INV-1", method="CreditCard", amount="5")
    assert (await books.one("bills", "INV-1"))["paid"] == "30"
    bill = await books.act("add_bill", vendor_id="V-1", number="INV-2", amount="9")
    assert (await books.act("edit_bill", number="INV-2", line=1, amount="11"))["total"] == "11"
    assert bill["lines"][0]["account"] == "6000"
