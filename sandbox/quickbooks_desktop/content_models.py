"""Which elements a request may have, in which order (reference 3), as US QuickBooks takes them.

The notation is that of a DTD: `,` follows, `|` either, `?` `*` `+` how often; `@16` marks an element that qbXML 16.0
brought. Elements that are not here have plain text (value_types.py).
"""

from collections.abc import Mapping

_RANGE = "MaxReturned?,(ModifiedDateRangeFilter|TxnDateRangeFilter)?,EntityFilter?,AccountFilter?,"
_TXN_GROUP = f"{_RANGE}(RefNumberFilter|RefNumberRangeFilter)?,CurrencyFilter?"
_TXN_KEYS = "TxnID+|RefNumber+|RefNumberCaseSensitive+"
_TXN_QUERY = f"({_TXN_KEYS}|({_TXN_GROUP}))?,IncludeLineItems?,IncludeLinkedTxns?,IncludeRetElement*,OwnerID*"
_PAYMENT_QUERY = f"({_TXN_KEYS}|({_TXN_GROUP}))?,IncludeLineItems?,IncludeRetElement*,OwnerID*"
_BILL_QUERY = (
    f"({_TXN_KEYS}|({_TXN_GROUP},PaidStatus?))?,IncludeLineItems?,IncludeLinkedTxns?,IncludeRetElement*,OwnerID*"
)
_LIST_GROUP = "MaxReturned?,ActiveStatus?,FromModifiedDate?,ToModifiedDate?,(NameFilter|NameRangeFilter)?"
_LIST_QUERY = f"(ListID+|FullName+|({_LIST_GROUP}))?,IncludeRetElement*"
_REF = "ListID?,FullName?"
_FILTER = "ListID+|FullName+|ListIDWithChildren|FullNameWithChildren"
_ADDRESS = "Addr1?,Addr2?,Addr3?,Addr4?,Addr5?,City?,State?,PostalCode?,Country?,Note?"

_LINES_ADD = "ExpenseLineAdd*,(ItemLineAdd|ItemGroupLineAdd)*"
_LINES_MOD = "ClearExpenseLines?,ExpenseLineMod*,ClearItemLines?,(ItemLineMod|ItemGroupLineMod)*"
_BATCH = "(SerialNumber|LotNumber)?,ExpirationDateForSerialLotNumber@16?"
_ITEM_LINE = (
    f"InventorySiteRef?,InventorySiteLocationRef?,{_BATCH},Desc?,Quantity?,UnitOfMeasure?,%sCost?,Amount?,"
    "CustomerRef?,ClassRef?,BillableStatus?,OverrideItemAccountRef?"
)
_EXPENSE_LINE = "AccountRef?,Amount?,Memo?,CustomerRef?,%sClassRef?,BillableStatus?,SalesRepRef?"
_ORDER_HEAD = (
    "VendorRef?,ClassRef?,(InventorySiteRef|ShipToEntityRef)?,TemplateRef?,TxnDate?,RefNumber?,VendorAddress?,"
    "ShipAddress?,TermsRef?,DueDate?,ExpectedDate?,ShipMethodRef?,FOB?,%sMemo?,VendorMsg?,IsToBePrinted?,"
    "IsToBeEmailed?,Other1?,Other2?,ExchangeRate?"
)
_APPLIED = "PaymentAmount?,SetCredit*,DiscountAmount?,DiscountAccountRef?,DiscountClassRef?"
_NAMES = "Salutation?,FirstName?,MiddleName?,LastName?,Suffix?"
_CONTACT = "Phone?,Mobile?,Pager?,AltPhone?,Fax?,Email?,Cc?,Contact?,AltContact?"
_VENDOR_TAIL = (
    "NameOnCheck?,AccountNumber?,Notes?,VendorTypeRef?,TermsRef?,CreditLimit?,VendorTaxIdent?,IsVendorEligibleFor1099?"
)

MODELS: Mapping[str, str] = {
    # Requests
    "HostQueryRq": "IncludeListMetaData?,IncludeRetElement*",
    "CompanyQueryRq": "IncludeRetElement*,OwnerID*",
    "PreferencesQueryRq": "IncludeRetElement*",
    "PurchaseOrderQueryRq": _TXN_QUERY,
    "BillQueryRq": _BILL_QUERY,
    "ItemReceiptQueryRq": _TXN_QUERY,
    "VendorCreditQueryRq": _TXN_QUERY,
    "BillPaymentCheckQueryRq": _PAYMENT_QUERY,
    "BillPaymentCreditCardQueryRq": _PAYMENT_QUERY,
    "VendorQueryRq": (
        f"(ListID+|FullName+|({_LIST_GROUP},TotalBalanceFilter?,CurrencyFilter?,ClassFilter?))?,"
        "IncludeRetElement*,OwnerID*"
    ),
    "AccountQueryRq": (
        f"(ListID+|FullName+|({_LIST_GROUP},AccountType*,CurrencyFilter?))?,IncludeRetElement*,OwnerID*"
    ),
    "ItemQueryRq": f"{_LIST_QUERY},OwnerID*",
    "ItemServiceQueryRq": f"{_LIST_QUERY},OwnerID*",
    "ItemNonInventoryQueryRq": f"{_LIST_QUERY},OwnerID*",
    "ItemOtherChargeQueryRq": f"{_LIST_QUERY},OwnerID*",
    "ItemInventoryQueryRq": f"{_LIST_QUERY},OwnerID*",
    "ClassQueryRq": _LIST_QUERY,
    "TermsQueryRq": _LIST_QUERY,
    "StandardTermsQueryRq": _LIST_QUERY,
    "DateDrivenTermsQueryRq": _LIST_QUERY,
    "UnitOfMeasureSetQueryRq": _LIST_QUERY,
    "PurchaseOrderAddRq": "PurchaseOrderAdd,IncludeRetElement*",
    "PurchaseOrderModRq": "PurchaseOrderMod,IncludeRetElement*",
    "BillAddRq": "BillAdd,IncludeRetElement*",
    "BillModRq": "BillMod,IncludeRetElement*",
    "ItemReceiptAddRq": "ItemReceiptAdd,IncludeRetElement*",
    "ItemReceiptModRq": "ItemReceiptMod,IncludeRetElement*",
    "VendorCreditAddRq": "VendorCreditAdd,IncludeRetElement*",
    "VendorCreditModRq": "VendorCreditMod,IncludeRetElement*",
    "BillPaymentCheckAddRq": "BillPaymentCheckAdd,IncludeRetElement*",
    "BillPaymentCreditCardAddRq": "BillPaymentCreditCardAdd,IncludeRetElement*",
    "VendorAddRq": "VendorAdd,IncludeRetElement*",
    "VendorModRq": "VendorMod,IncludeRetElement*",
    "TxnDelRq": "TxnDelType,TxnID",
    "TxnVoidRq": "TxnVoidType,TxnID",
    "ListDelRq": "ListDelType,ListID",
    "TxnDeletedQueryRq": "TxnDelType+,DeletedDateRangeFilter?,IncludeRetElement*",
    "ListDeletedQueryRq": "ListDelType+,DeletedDateRangeFilter?,IncludeRetElement*",
    # Filters
    "ModifiedDateRangeFilter": "FromModifiedDate?,ToModifiedDate?",
    "DeletedDateRangeFilter": "FromDeletedDate?,ToDeletedDate?",
    "TxnDateRangeFilter": "(FromTxnDate?,ToTxnDate?)|DateMacro",
    "EntityFilter": _FILTER,
    "AccountFilter": _FILTER,
    "ClassFilter": _FILTER,
    "CurrencyFilter": "ListID+|FullName+",
    "RefNumberFilter": "MatchCriterion,RefNumber",
    "RefNumberRangeFilter": "FromRefNumber?,ToRefNumber?",
    "NameFilter": "MatchCriterion,Name",
    "NameRangeFilter": "FromName?,ToName?",
    "TotalBalanceFilter": "Operator,Amount",
    # Documents
    "PurchaseOrderAdd": f"{_ORDER_HEAD % ''},ExternalGUID?,(PurchaseOrderLineAdd|PurchaseOrderLineGroupAdd)+",
    "PurchaseOrderMod": (
        f"TxnID,EditSequence,{_ORDER_HEAD % 'IsManuallyClosed?,'},(PurchaseOrderLineMod|PurchaseOrderLineGroupMod)*"
    ),
    "PurchaseOrderLineAdd": (
        "ItemRef?,ManufacturerPartNumber?,Desc?,Quantity?,UnitOfMeasure?,Rate?,ClassRef?,Amount?,"
        "InventorySiteLocationRef?,CustomerRef?,ServiceDate?,OverrideItemAccountRef?,Other1?,Other2?,DataExt*"
    ),
    "PurchaseOrderLineMod": (
        "TxnLineID,ItemRef?,ManufacturerPartNumber?,Desc?,Quantity?,UnitOfMeasure?,OverrideUOMSetRef?,Rate?,ClassRef?,"
        "Amount?,InventorySiteLocationRef?,CustomerRef?,ServiceDate?,IsManuallyClosed?,OverrideItemAccountRef?,"
        "Other1?,Other2?"
    ),
    "BillAdd": (
        "VendorRef,VendorAddress?,APAccountRef?,TxnDate?,DueDate?,RefNumber?,TermsRef?,ClassRef@16?,Memo?,"
        f"ExchangeRate?,ExternalGUID?,LinkToTxnID*,{_LINES_ADD}"
    ),
    "BillMod": (
        "TxnID,EditSequence,VendorRef?,VendorAddress?,APAccountRef?,TxnDate?,DueDate?,RefNumber?,TermsRef?,"
        f"ClassRef@16?,Memo?,ExchangeRate?,{_LINES_MOD}"
    ),
    "ItemReceiptAdd": (
        f"VendorRef,APAccountRef?,TxnDate?,RefNumber?,Memo?,ExchangeRate?,ExternalGUID?,LinkToTxnID*,{_LINES_ADD}"
    ),
    "ItemReceiptMod": (
        f"TxnID,EditSequence,VendorRef?,APAccountRef?,TxnDate?,RefNumber?,Memo?,ExchangeRate?,{_LINES_MOD}"
    ),
    "VendorCreditAdd": f"VendorRef,APAccountRef?,TxnDate?,RefNumber?,Memo?,ExchangeRate?,ExternalGUID?,{_LINES_ADD}",
    "VendorCreditMod": (
        f"TxnID,EditSequence,VendorRef?,APAccountRef?,TxnDate?,RefNumber?,Memo?,ExchangeRate?,{_LINES_MOD}"
    ),
    "ExpenseLineAdd": f"{_EXPENSE_LINE % 'VendorRef@16?,'},DataExt*",
    "ExpenseLineMod": f"TxnLineID,{_EXPENSE_LINE % ''}",
    "ItemLineAdd": f"ItemRef?,{_ITEM_LINE % ''},LinkToTxn?,SalesRepRef?,DataExt*",
    "ItemLineMod": f"TxnLineID,ItemRef?,{_ITEM_LINE % 'OverrideUOMSetRef?,'},SalesRepRef?",
    "LinkToTxn": "TxnID,TxnLineID",
    "BillPaymentCheckAdd": (
        "PayeeEntityRef,APAccountRef?,TxnDate?,BankAccountRef,(IsToBePrinted|RefNumber),Memo?,ExchangeRate?,"
        "ExternalGUID?,AppliedToTxnAdd+"
    ),
    "BillPaymentCreditCardAdd": (
        "PayeeEntityRef,APAccountRef?,TxnDate?,CreditCardAccountRef,RefNumber?,Memo?,ExchangeRate?,ExternalGUID?,"
        "AppliedToTxnAdd+"
    ),
    "AppliedToTxnAdd": f"TxnID,{_APPLIED}",
    "SetCredit": "CreditTxnID,TxnLineID?,AppliedAmount,Override?",
    "VendorAdd": (
        f"Name,IsActive?,ClassRef?,CompanyName?,{_NAMES},JobTitle?,VendorAddress?,ShipAddress?,{_CONTACT},"
        f"{_VENDOR_TAIL},OpenBalance?,OpenBalanceDate?,BillingRateRef?,ExternalGUID?,PrefillAccountRef*,CurrencyRef?"
    ),
    "VendorMod": (
        f"ListID,EditSequence,Name?,IsActive?,ClassRef?,CompanyName?,{_NAMES},JobTitle?,VendorAddress?,ShipAddress?,"
        f"{_CONTACT},{_VENDOR_TAIL},BillingRateRef?,PrefillAccountRef*,CurrencyRef?"
    ),
    "DataExt": "OwnerID,DataExtName,DataExtValue",
    "VendorAddress": _ADDRESS,
    "ShipAddress": _ADDRESS,
    # References
    **{
        f"{name}Ref": _REF
        for name in (
            *("Vendor", "Class", "InventorySite", "ShipToEntity", "Template", "Terms", "ShipMethod", "Item"),
            *("InventorySiteLocation", "Customer", "OverrideItemAccount", "OverrideUOMSet", "APAccount", "Account"),
            *("SalesRep", "PayeeEntity", "BankAccount", "CreditCardAccount", "DiscountAccount", "DiscountClass"),
            *("VendorType", "BillingRate", "PrefillAccount", "Currency"),
        )
    },
}

ITERATED = frozenset(
    [
        *("PurchaseOrderQueryRq", "BillQueryRq", "ItemReceiptQueryRq", "VendorCreditQueryRq", "VendorQueryRq"),
        *("BillPaymentCheckQueryRq", "BillPaymentCreditCardQueryRq", "ItemQueryRq", "ItemServiceQueryRq"),
        *("ItemNonInventoryQueryRq", "ItemOtherChargeQueryRq", "ItemInventoryQueryRq"),
    ]
)
"""The requests that take an iterator."""
NO_META_DATA = frozenset(["HostQueryRq", "CompanyQueryRq", "PreferencesQueryRq"])
REQUESTS = frozenset(name for name in MODELS if name.endswith("Rq"))


def attributes_of(request: str) -> frozenset[str]:
    """The attributes that a request may have."""
    names = {"requestID"}
    if request.endswith("QueryRq") and request not in NO_META_DATA:
        names.add("metaData")
    if request in ITERATED:
        names |= {"iterator", "iteratorID"}
    return frozenset(names)
