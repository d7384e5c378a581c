"""The entities of the service: their fields with kind and length, and what can be asked of them (reference 6)."""

from collections.abc import Mapping
from typing import NamedTuple


class Field(NamedTuple):
    """One field that a client may write. `target` is the entity that a reference names, or the words of a choice."""

    name: str
    kind: str
    target: str = ""
    longest: int = 0


class EntityType(NamedTuple):
    """One entity."""

    name: str
    plural: str
    fields: Mapping[str, Field]
    filterable: frozenset[str]
    is_list: bool
    deletable: bool
    listened: bool
    """Webhooks and change data capture tell of it."""

    @property
    def path(self) -> str:
        """The segment of its URLs."""
        return self.name.lower()


def _fields(words: str) -> dict[str, Field]:
    """Fields from words such as `Name:text100`, `VendorRef:ref=Vendor`, `PayType:choice=Check|CreditCard`."""
    fields = {}
    for word in words.split():
        name, _, rest = word.partition(":")
        kind, _, target = rest.partition("=")
        letters = kind.rstrip("0123456789")
        fields[name] = Field(name, letters, target.replace("_", " "), int(kind[len(letters) :] or 0))
    return fields


_TRANSACTION = (
    "DocNumber:text21 TxnDate:date DepartmentRef:ref=Department CurrencyRef:currency ExchangeRate:number"
    " PrivateNote:text4000 TransactionLocationType:text TxnTaxDetail:ignored CustomField:custom Line:lines"
    " LinkedTxn:links "
)
_PURCHASE = (
    _TRANSACTION
    + "VendorRef:ref=Vendor APAccountRef:ref=Account Memo:text4000"
    + " GlobalTaxCalculation:choice=TaxExcluded|TaxInclusive|NotApplicable VendorAddr:address "
)
_NAMES = "Active:flag ParentRef:ref={0} Name:text100 "
_PERSON = (
    "DisplayName:text500 Title:text GivenName:text100 MiddleName:text100 FamilyName:text100 Suffix:text"
    " CompanyName:text100 PrintOnCheckName:text110 Active:flag PrimaryPhone:phone AlternatePhone:phone Mobile:phone"
    " Fax:phone PrimaryEmailAddr:email WebAddr:web "
)
_BASE_FILTERS = "Id MetaData.CreateTime MetaData.LastUpdatedTime "


def _entity(
    name: str,
    fields: str,
    filters: str,
    *,
    plural: str = "",
    is_list: bool = False,
    deletable: bool = False,
    listened: bool = True,
) -> EntityType:
    known = frozenset((_BASE_FILTERS + filters).split())
    return EntityType(name, plural or f"{name}s", _fields(fields), known, is_list, deletable, listened)


_ALL = (
    _entity(
        "PurchaseOrder",
        _PURCHASE + "DueDate:date ExpectedDate:date ShipTo:freeref ShipAddr:address ShipMethodRef:named FOB:text15"
        " POEmail:email100 EmailStatus:choice=NotSet|NeedToSend|EmailSent"
        " PrintStatus:choice=NotSet|NeedToPrint|PrintComplete"
        " SalesTermRef:ref=Term ClassRef:ref=Class TaxCodeRef:freeref TemplateRef:freeref POStatus:choice=Open|Closed",
        "TxnDate DueDate DocNumber",
        deletable=True,
    ),
    _entity(
        "Bill",
        _PURCHASE + "SalesTermRef:ref=Term DueDate:date RemitToAddr:address ShipAddr:address",
        "TxnDate DueDate DocNumber Balance TotalAmt VendorRef APAccountRef SalesTermRef DepartmentRef",
        deletable=True,
    ),
    _entity("VendorCredit", _PURCHASE, "TxnDate DocNumber Balance TotalAmt VendorRef", deletable=True),
    _entity(
        "BillPayment",
        _TRANSACTION
        + "VendorRef:ref=Vendor VendorAddr:address APAccountRef:ref=Account PayType:choice=Check|CreditCard"
        " CheckPayment:check CreditCardPayment:card TotalAmt:number",
        "TxnDate DocNumber TotalAmt VendorRef PayType",
        deletable=True,
    ),
    _entity(
        "Purchase",
        _TRANSACTION + "AccountRef:ref=Account EntityRef:ref=Vendor PaymentType:choice=Cash|Check|CreditCard"
        " TotalAmt:number",
        "TxnDate DocNumber TotalAmt PaymentType",
        deletable=True,
    ),
    _entity(
        "Vendor",
        _PERSON + "BillAddr:address TaxIdentifier:text20 TermRef:ref=Term AcctNum:text100 Vendor1099:flag"
        " CurrencyRef:currency APAccountRef:ref=Account Notes:text4000",
        "Active DisplayName CompanyName GivenName FamilyName PrintOnCheckName Balance AcctNum",
        is_list=True,
    ),
    _entity(
        "Account",
        _NAMES.format("Account") + "SubAccount:flag Description:text100 AcctNum:text20 AccountSubType:text"
        " CurrencyRef:currency AccountType:choice=Bank|Accounts_Receivable|Other_Current_Asset|Fixed_Asset|Other_Asset"
        "|Accounts_Payable|Credit_Card|Other_Current_Liability|Long_Term_Liability|Equity|Income|Cost_of_Goods_Sold"
        "|Expense|Other_Income|Other_Expense|Non-Posting Classification:choice=Asset|Equity|Expense|Liability|Revenue",
        "Active Name FullyQualifiedName AccountType AccountSubType Classification AcctNum SubAccount CurrentBalance",
        is_list=True,
    ),
    _entity(
        "Item",
        _NAMES.format("Item") + "Sku:text100 Description:text4000 SubItem:flag Taxable:flag UnitPrice:number"
        " Type:choice=Inventory|NonInventory|Service|Category|Group|Bundle PurchaseDesc:text1000 PurchaseCost:number"
        " IncomeAccountRef:ref=Account ExpenseAccountRef:ref=Account AssetAccountRef:ref=Account TrackQtyOnHand:flag"
        " QtyOnHand:number InvStartDate:date PrefVendorRef:ref=Vendor ClassRef:ref=Class",
        "Active Name FullyQualifiedName Sku Type",
        is_list=True,
    ),
    _entity(
        "Class",
        _NAMES.format("Class") + "SubClass:flag",
        "Active Name FullyQualifiedName",
        plural="Classes",
        is_list=True,
    ),
    _entity(
        "Department",
        _NAMES.format("Department") + "SubDepartment:flag",
        "Active Name FullyQualifiedName",
        is_list=True,
    ),
    _entity(
        "Term",
        "Name:text31 Active:flag Type:choice=STANDARD|DATE_DRIVEN DueDays:whole DiscountDays:whole"
        " DiscountPercent:number"
        " DayOfMonthDue:whole DueNextMonthDays:whole DiscountDayOfMonth:whole",
        "Active Name Type DueDays",
        is_list=True,
    ),
    _entity(
        "Attachable",
        "FileName:text1000 Note:text2000 Category:text ContentType:text100 Tag:text2000 AttachableRef:attached",
        "FileName Note",
        deletable=True,
        listened=False,
    ),
    _entity(
        "CompanyInfo",
        "CompanyName:text1024 LegalName:text1024 CompanyAddr:address LegalAddr:address"
        " CustomerCommunicationAddr:address"
        " Email:email WebAddr:web PrimaryPhone:phone FiscalYearStartMonth:text Country:text",
        "",
        plural="CompanyInfo",
        listened=False,
    ),
    _entity("Preferences", "", "", plural="Preferences"),
)
ENTITIES: Mapping[str, EntityType] = {one.name: one for one in _ALL}
BY_PATH: Mapping[str, EntityType] = {one.path: one for one in _ALL}
POSTING = frozenset(["Bill", "VendorCredit", "BillPayment", "Purchase"])
"""Transactions that closed books protect; an order does not post."""
ALWAYS_EMPTY = frozenset(
    [
        *("budget", "companycurrency", "creditcardpayment", "creditmemo", "customer", "customertype"),
        *("deposit", "employee", "estimate", "exchangerate", "invoice", "journalcode", "journalentry"),
        *("payment", "paymentmethod", "recurringtransaction", "refundreceipt", "reimbursecharge"),
        *("salesreceipt", "taxagency", "taxcode", "taxrate", "timeactivity", "transfer"),
    ]
)
"""Entities that the service knows and this company never has one of."""
NOT_CAPTURED = frozenset(["journalcode", "taxagency", "timeactivity", "taxcode", "taxrate"])
"""What change data capture cannot be asked for (reference 3.8)."""
DETAILS: Mapping[str, Mapping[str, Field]] = {
    "ItemBasedExpenseLineDetail": _fields(
        "ItemRef:ref=Item Qty:number UnitPrice:number ClassRef:ref=Class CustomerRef:customer"
        " BillableStatus:choice=Billable|NotBillable|HasBeenBilled TaxCodeRef:freeref PriceLevelRef:freeref"
        " TaxInclusiveAmt:number"
    ),
    "AccountBasedExpenseLineDetail": _fields(
        "AccountRef:ref=Account ClassRef:ref=Class CustomerRef:customer"
        " BillableStatus:choice=Billable|NotBillable|HasBeenBilled TaxCodeRef:freeref TaxAmount:number"
        " TaxInclusiveAmt:number"
    ),
}
"""What a line's detail holds, by its DetailType."""
TEXT_LINE = "DescriptionOnly"


def entity_named(name: str) -> EntityType | None:
    """The entity of that name, in any case."""
    return BY_PATH.get(name.lower())
