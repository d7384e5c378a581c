"""Two public clients run against the sandbox unchanged; only the addresses they call are ours."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from intuitlib.client import AuthClient
from intuitlib.enums import Scopes
from intuitlib.exceptions import AuthClientError
from quickbooks import QuickBooks
from quickbooks.batch import batch_create, batch_delete
from quickbooks.cdc import change_data_capture
from quickbooks.exceptions import (
    AuthorizationException,
    ObjectNotFoundException,
    QuickbooksException,
    ValidationException,
)
from quickbooks.objects import (
    Account,
    Attachable,
    AttachableRef,
    Bill,
    BillPayment,
    BillPaymentLine,
    CheckPayment,
    CompanyInfo,
    Department,
    Item,
    ItemBasedExpenseLine,
    ItemBasedExpenseLineDetail,
    LinkedTxn,
    Preferences,
    PurchaseOrder,
    Ref,
    Term,
    Vendor,
    VendorCredit,
)

from tests.unit.sandbox.quickbooks_online.books import CLIENT, REDIRECT


def sign_in(served: str) -> AuthClient:
    """Run the whole flow: discovery, consent page, callback, tokens."""
    auth = AuthClient(*CLIENT, REDIRECT, f"{served}/.well-known/openid_sandbox_configuration/")
    url = auth.get_authorization_url([Scopes.ACCOUNTING])
    back = {name: values[0] for name, values in parse_qs(urlsplit(httpx.get(url).headers["location"]).query).items()}
    assert back["state"] == auth.state_token
    auth.get_bearer_token(back["code"], realm_id=back["realmId"])
    return auth


@pytest.fixture
def client(served: str, monkeypatch: pytest.MonkeyPatch) -> QuickBooks:
    httpx.post(f"{served}/sandbox/companies/quickbooks_online/sample").raise_for_status()
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setattr(QuickBooks, "api_url_v3", f"{served}/v3")
    auth = sign_in(served)
    return QuickBooks(auth_client=auth, company_id=auth.realm_id, minorversion=75, use_decimal=True)


def named(identifier: str) -> Ref:
    ref = Ref()
    ref.value = identifier
    return ref


def test_the_vendors_sign_in_client_connects_refreshes_and_disconnects(served: str) -> None:
    """Reference 2: discovery, consent, tokens, rotation, revocation."""
    auth = sign_in(served)
    assert auth.expires_in == 3600
    assert auth.x_refresh_token_expires_in == 8726400
    assert len(auth.access_token) > 1000
    first = auth.refresh_token
    auth.refresh()
    assert auth.refresh_token != first
    with pytest.raises(AuthClientError) as refused:
        auth.refresh(refresh_token=first)
    assert refused.value.status_code == 400
    assert refused.value.content == b'{"error":"invalid_grant"}'
    assert auth.revoke()
    with pytest.raises(AuthClientError):
        auth.refresh()


def test_its_wrong_secret_is_an_unknown_client(served: str) -> None:
    """Reference 2.4."""
    auth = sign_in(served)
    auth.client_secret = "wrong"
    with pytest.raises(AuthClientError) as refused:
        auth.refresh()
    assert refused.value.status_code == 401


def test_lists_are_read_filtered_and_counted(client: QuickBooks) -> None:
    """Reference 3.7: what a real client sends as queries."""
    assert {vendor.DisplayName for vendor in Vendor.all(qb=client)} > {"Northwind Paper & Supply"}
    [vendor] = Vendor.filter(Active=True, DisplayName="Alder Cleaning Services", qb=client)
    assert vendor.AcctNum == "V-150"
    assert len(Item.all(order_by="Name", qb=client)) == 14
    assert Vendor.count("Active = true", qb=client) == 7
    assert {term.DueDays for term in Term.all(qb=client)} == {0, 15, 30, 60}
    assert [account.AcctNum for account in Account.where("AccountType = 'Accounts Payable'", qb=client)] == ["2000"]
    assert len(Department.choose(["1", "2"], field="Id", qb=client)) == 2
    page = PurchaseOrder.where("TxnDate > '2020-01-01'", start_position=11, max_results=10, order_by="Id", qb=client)
    assert [order.Id for order in page] == [str(number) for number in range(11, 21)]
    assert CompanyInfo.get(client.company_id, qb=client).Country == "US"
    assert Preferences.get(qb=client).CurrencyPrefs.HomeCurrency.value == "USD"
    assert PurchaseOrder.filter(DocNumber="it's not there", qb=client) == []


def bill_for(order: PurchaseOrder, quantity: int) -> Bill:
    """A bill of the order's first line."""
    bought = order.Line[0]
    line = ItemBasedExpenseLine()
    line.ItemBasedExpenseLineDetail = ItemBasedExpenseLineDetail()
    line.ItemBasedExpenseLineDetail.ItemRef = bought.ItemBasedExpenseLineDetail.ItemRef
    line.ItemBasedExpenseLineDetail.Qty = quantity
    line.ItemBasedExpenseLineDetail.UnitPrice = bought.ItemBasedExpenseLineDetail.UnitPrice
    line.Amount = Decimal(str(bought.ItemBasedExpenseLineDetail.UnitPrice)) * quantity
    link = LinkedTxn()
    link.TxnId, link.TxnType, link.TxnLineId = order.Id, "PurchaseOrder", bought.Id
    line.LinkedTxn.append(link)
    bill = Bill()
    bill.VendorRef = order.VendorRef
    bill.DocNumber = "BL-77"
    bill.Line.append(line)
    bill.LinkedTxn.append(order.to_linked_txn())
    return bill


def test_an_order_is_billed_paid_and_the_payment_voided(client: QuickBooks) -> None:
    """Reference 6.2, 6.3; what this client leaves empty, or sends as text, is taken."""
    [order] = PurchaseOrder.filter(DocNumber="PO-1007", qb=client)
    saved = bill_for(order, 4).save(qb=client, request_id="r-1")
    assert saved.TotalAmt == Decimal(6196)
    assert (saved.Line[0].LinkedTxn[0].TxnId, saved.Line[0].LinkedTxn[0].TxnLineId) == (order.Id, "1")
    assert PurchaseOrder.get(order.Id, qb=client).Line[0].Received == 4
    assert bill_for(order, 4).save(qb=client, request_id="r-1").Id == saved.Id

    payment = BillPayment()
    payment.VendorRef, payment.PayType, payment.TotalAmt = saved.VendorRef, "Check", 6196
    payment.CheckPayment = CheckPayment()
    [bank] = Account.filter(Name="Checking", qb=client)
    payment.CheckPayment.BankAccountRef = bank.to_ref()
    line = BillPaymentLine()
    line.Amount = 6196
    line.LinkedTxn.append(saved.to_linked_txn())
    payment.Line.append(line)
    paid = payment.save(qb=client)
    assert Bill.get(saved.Id, qb=client).Balance == 0
    paid.void(qb=client)
    assert Bill.get(saved.Id, qb=client).Balance == Decimal(6196)
    Bill.get(saved.Id, qb=client).delete(qb=client)
    with pytest.raises(ObjectNotFoundException):
        Bill.get(saved.Id, qb=client)


def test_lists_are_written_in_batches_and_their_faults_understood(client: QuickBooks) -> None:
    """Reference 3.9, 7."""
    vendors = []
    for name in ("Bolt & Nut", "Bolt & Nut", "Screws: all kinds", "Washers"):
        vendor = Vendor()
        vendor.DisplayName = name
        vendors.append(vendor)
    answer = batch_create(vendors, qb=client)
    assert sorted(vendor.DisplayName for vendor in answer.successes) == ["Bolt & Nut", "Washers"]
    assert sorted(fault.Error[0].code for fault in answer.faults) == ["2040", "6240"]
    credits = VendorCredit.all(qb=client)
    assert [credit.TotalAmt for credit in credits] == [75]
    assert batch_delete(credits, qb=client).faults == []
    vendor = Vendor.filter(DisplayName="Washers", qb=client)[0]
    vendor.CompanyName = "Washers Ltd"
    vendor.save(qb=client)
    with pytest.raises(QuickbooksException) as stale:
        vendor.save(qb=client)
    assert stale.value.error_code == 5010
    with pytest.raises(ValidationException):
        Vendor.query("select from Vendor", qb=client)


def test_what_was_read_can_be_changed_and_sent_back_whole(client: QuickBooks) -> None:
    """Reference 3.2: a full update with everything that the client keeps of an answer."""
    [order] = PurchaseOrder.filter(DocNumber="PO-1006", qb=client)
    before = [(line.Id, line.Amount, line.Received) for line in order.Line]
    order.Memo = "Please hurry"
    order.POEmail = {"Address": "orders@example.com"}
    changed = order.save(qb=client)
    assert [(line.Id, line.Amount, line.Received) for line in changed.Line] == before
    assert (changed.Memo, changed.POStatus, changed.LinkedTxn[0].TxnType) == ("Please hurry", "Open", "Bill")
    [bill] = Bill.filter(DocNumber="ML-77120", qb=client)
    bill.PrivateNote = "checked"
    assert bill.save(qb=client).Line[1].LinkedTxn[0].TxnLineId == "2"
    assert [line.Received for line in PurchaseOrder.get(order.Id, qb=client).Line] == [50, 20, 0]
    preferences = Preferences.get(qb=client)
    preferences.AccountingInfoPrefs.TrackDepartments = False
    assert preferences.save(qb=client).AccountingInfoPrefs.TrackDepartments is False
    [vendor] = Vendor.filter(DisplayName="Summit Industrial Tools", qb=client)
    vendor.Active = False
    with pytest.raises(QuickbooksException) as owed:
        vendor.save(qb=client)
    assert owed.value.error_code == 6220
    changed.send(qb=client)
    assert PurchaseOrder.get(order.Id, qb=client).EmailStatus == "EmailSent"


def test_changes_and_deletions_are_captured(client: QuickBooks) -> None:
    """Reference 3.8."""
    since = datetime.now(UTC) - timedelta(days=2)
    [order] = PurchaseOrder.filter(DocNumber="PO-1034", qb=client)
    order.delete(qb=client)
    changed = change_data_capture([PurchaseOrder, Bill, Term], f"{since:%Y-%m-%dT%H:%M:%SZ}", qb=client)
    [gone] = [one for one in changed.PurchaseOrder._object_list if one.Id == order.Id]
    assert gone.status == "Deleted"
    assert not hasattr(changed, "Term")


def test_a_file_is_attached_to_a_bill(client: QuickBooks) -> None:
    """Reference 3.10: this client separates the parts with bare line feeds."""
    bill = Bill.all(qb=client)[0]
    file = Attachable()
    file.FileName, file.ContentType, file._FileBytes = "scan.txt", "text/plain", b"Invoice 77\r\n\r\nTotal 5"
    target = AttachableRef()
    target.EntityRef = named(bill.Id)
    target.EntityRef.type = "Bill"
    file.AttachableRef.append(target)
    kept = file.save(qb=client)
    assert kept.Size == 21
    assert httpx.get(kept.TempDownloadUri).content == b"Invoice 77\r\n\r\nTotal 5"


def test_a_token_that_ended_is_an_authorization_error(client: QuickBooks, served: str) -> None:
    """Reference 2.7."""
    action = {"action": "expire_access_tokens"}
    httpx.post(f"{served}/sandbox/companies/quickbooks_online/actions", json=action).raise_for_status()
    with pytest.raises(AuthorizationException):
        Vendor.all(qb=client)
