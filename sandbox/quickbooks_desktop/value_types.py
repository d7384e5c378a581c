"""The form and length of plain values by element (reference 2.2, 4), with the status of one that does not fit."""

import re
from collections.abc import Mapping
from datetime import date

from sandbox.quickbooks_desktop.errors import Refused

_FORMS: Mapping[str, tuple[re.Pattern[str], int, str]] = {
    "AMTTYPE": (re.compile(r"([+-]?[0-9]{1,13}(\.[0-9]{2})?)?"), 3040, "amount"),
    "PRICETYPE": (re.compile(r"([+-]?[0-9]{1,10}(\.[0-9]{1,5})?)?"), 3045, "price"),
    "QUANTYPE": (re.compile(r"([+-]?[0-9]{1,10}(\.[0-9]{1,5})?)?"), 3060, "quantity"),
    "FLOATTYPE": (re.compile(r"([+-]?[0-9]+(\.[0-9]+)?)?"), 3045, "number"),
    "INTTYPE": (re.compile(r"[+-]?[0-9]+"), 3045, "number"),
    "DATETYPE": (re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})?"), 3020, "date value"),
    "DATETIMETYPE": (
        re.compile(
            r"([0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(T[0-9]{1,2}(:[0-9]{1,2}(:[0-9]{1,2}([+-][0-9]{1,2}:[0-9]{1,2})?)?)?)?)?"
        ),
        3020,
        "date-time value",
    ),
    "BOOLTYPE": (re.compile(r"(true|false|1|0)?"), 3010, "boolean value"),
    "IDTYPE": (re.compile(r"[\x20-\x7e]{0,36}"), 3000, "ID"),
    "GUIDTYPE": (
        re.compile(r"0|\{[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}"),
        3000,
        "GUID",
    ),
}

_TYPES: Mapping[str, str] = {
    **dict.fromkeys(
        ("Amount", "PaymentAmount", "AppliedAmount", "DiscountAmount", "OpenBalance", "CreditLimit"), "AMTTYPE"
    ),
    **dict.fromkeys(("Cost", "Rate"), "PRICETYPE"),
    "Quantity": "QUANTYPE",
    "ExchangeRate": "FLOATTYPE",
    "MaxReturned": "INTTYPE",
    **dict.fromkeys(
        (
            *("TxnDate", "DueDate", "ExpectedDate", "ServiceDate", "FromTxnDate", "ToTxnDate", "OpenBalanceDate"),
            "ExpirationDateForSerialLotNumber",
        ),
        "DATETYPE",
    ),
    **dict.fromkeys(("FromModifiedDate", "ToModifiedDate", "FromDeletedDate", "ToDeletedDate"), "DATETIMETYPE"),
    **dict.fromkeys(
        (
            *(
                "IncludeLineItems",
                "IncludeLinkedTxns",
                "IsManuallyClosed",
                "IsToBePrinted",
                "IsToBeEmailed",
                "Override",
            ),
            *("ClearExpenseLines", "ClearItemLines", "IsActive", "IncludeListMetaData", "IsVendorEligibleFor1099"),
        ),
        "BOOLTYPE",
    ),
    **dict.fromkeys(("TxnID", "ListID", "TxnLineID", "LinkToTxnID", "CreditTxnID", "ListIDWithChildren"), "IDTYPE"),
    **dict.fromkeys(("ExternalGUID", "OwnerID"), "GUIDTYPE"),
}

CHOICES: Mapping[str, frozenset[str]] = {
    "MatchCriterion": frozenset(["StartsWith", "Contains", "EndsWith"]),
    "ActiveStatus": frozenset(["ActiveOnly", "InactiveOnly", "All"]),
    "PaidStatus": frozenset(["All", "PaidOnly", "NotPaidOnly"]),
    "BillableStatus": frozenset(["Billable", "NotBillable", "HasBeenBilled"]),
    "Operator": frozenset(["LessThan", "LessThanEqual", "Equal", "GreaterThan", "GreaterThanEqual"]),
    "AccountType": frozenset(
        [
            *("AccountsPayable", "AccountsReceivable", "Bank", "CostOfGoodsSold", "CreditCard", "Equity", "Expense"),
            *("FixedAsset", "Income", "LongTermLiability", "NonPosting", "OtherAsset", "OtherCurrentAsset"),
            *("OtherCurrentLiability", "OtherExpense", "OtherIncome"),
        ]
    ),
    "TxnDelType": frozenset(
        [
            *("ARRefundCreditCard", "Bill", "BillPaymentCheck", "BillPaymentCreditCard", "BuildAssembly", "Charge"),
            *("Check", "CreditCardCharge", "CreditCardCredit", "CreditMemo", "Deposit", "Estimate"),
            *("InventoryAdjustment", "Invoice", "ItemReceipt", "JournalEntry", "PurchaseOrder", "ReceivePayment"),
            *("SalesOrder", "SalesReceipt", "SalesTaxPaymentCheck", "TimeTracking", "TransferInventory"),
            *("VehicleMileage", "VendorCredit"),
        ]
    ),
    "TxnVoidType": frozenset(
        [
            *("ARRefundCreditCard", "Bill", "BillPaymentCheck", "BillPaymentCreditCard", "Charge", "Check"),
            *("CreditCardCharge", "CreditCardCredit", "CreditMemo", "Deposit", "InventoryAdjustment", "Invoice"),
            *("ItemReceipt", "JournalEntry", "SalesReceipt", "VendorCredit"),
        ]
    ),
    "ListDelType": frozenset(
        [
            *("Account", "BillingRate", "Class", "Currency", "Customer", "CustomerMsg", "CustomerType"),
            *("DateDrivenTerms", "Employee", "InventorySite", "ItemDiscount", "ItemFixedAsset", "ItemGroup"),
            *("ItemInventory", "ItemInventoryAssembly", "ItemNonInventory", "ItemOtherCharge", "ItemPayment"),
            *("ItemSalesTax", "ItemSalesTaxGroup", "ItemService", "ItemSubtotal", "JobType", "OtherName"),
            *("PaymentMethod", "PayrollItemNonWage", "PayrollItemWage", "PriceLevel", "SalesRep", "SalesTaxCode"),
            *("ShipMethod", "StandardTerms", "ToDo", "UnitOfMeasureSet", "Vehicle", "Vendor", "VendorType"),
            "WorkersCompCode",
        ]
    ),
}

_LENGTHS: Mapping[str, int] = {
    "RefNumber": 20,
    "PurchaseOrderAdd/RefNumber": 11,
    "PurchaseOrderMod/RefNumber": 11,
    "BillPaymentCheckAdd/RefNumber": 11,
    "BillPaymentCreditCardAdd/RefNumber": 11,
    "Memo": 4095,
    "Desc": 4095,
    "VendorMsg": 99,
    "EditSequence": 16,
    "Name": 41,
    "CompanyName": 41,
    "VendorRef/FullName": 41,
    "PayeeEntityRef/FullName": 209,
    "CustomerRef/FullName": 209,
    "TermsRef/FullName": 31,
    "ShipMethodRef/FullName": 15,
    "FullName": 209,
    "AccountRef/FullName": 159,
    "APAccountRef/FullName": 159,
    "BankAccountRef/FullName": 159,
    "CreditCardAccountRef/FullName": 159,
    "ClassRef/FullName": 159,
    "ItemRef/FullName": 159,
    "UnitOfMeasure": 31,
    "FOB": 13,
    **dict.fromkeys(("Addr1", "Addr2", "Addr3", "Addr4", "Addr5", "Note", "NameOnCheck"), 41),
    "City": 31,
    "State": 21,
    "PostalCode": 13,
    "Country": 31,
    "PurchaseOrderAdd/Other1": 25,
    "PurchaseOrderMod/Other1": 25,
    "Other1": 29,
    "Other2": 29,
    "AccountNumber": 99,
    "Phone": 21,
    "Email": 1023,
    "VendorTaxIdent": 15,
    "DataExtName": 31,
    "ManufacturerPartNumber": 31,
}


def check_value(parent: str, name: str, text: str) -> None:
    """Raises Refused for a value of the wrong form or length."""
    kind = _TYPES.get(name)
    if kind is not None:
        pattern, code, word = _FORMS[kind]
        if not pattern.fullmatch(text) or (kind == "DATETYPE" and text and not _is_day(text)):
            if code == 3000:
                raise Refused(3000, f'The given object ID "{text}" in the field "{name}" is invalid. ')
            raise Refused(code, f'There was an error when converting the {word} "{text}" in the field "{name}". ')
        return
    longest = _LENGTHS.get(f"{parent}/{name}") or _LENGTHS.get(name)
    if longest is not None and len(text) > longest:
        raise Refused(3070, f'The string "{text}" in the field "{name}" is too long. ')


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
