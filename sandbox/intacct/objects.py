"""The objects the pretend Intacct knows: their fields, types, codes and labels (reference 2.6 to 2.9).

Field words: `T` text, `I` integer, `B` boolean, `D` date, `S` timestamp, `N` decimal, `C` currency amount, `E` enum.
`!` marks a field that `lookup` calls required; a trailing `-` one that cannot be written.
"""

from collections.abc import Mapping
from typing import NamedTuple

DATATYPES = {
    "T": "TEXT",
    "I": "INTEGER",
    "B": "BOOLEAN",
    "D": "DATE",
    "S": "TIMESTAMP",
    "N": "DECIMAL",
    "C": "CURRENCY",
    "E": "ENUM",
}


class Field(NamedTuple):
    """One field of an object."""

    name: str
    datatype: str
    required: bool = False
    readonly: bool = False
    codes: Mapping[str, str] = {}
    """Label to stored code; readByQuery filters by code, answers show the label."""


class ObjectType(NamedTuple):
    """One object: `key` is its natural key, `owned` the line object that `read` returns inside it."""

    name: str
    key: str
    fields: Mapping[str, Field]
    indexed: tuple[str, ...] = ()
    owned: str = ""
    owned_by: str = ""
    """On a line object: the field that holds its header's RECORDNO."""
    document_type: bool = False
    """Selected by `docparid` as well."""
    relations: Mapping[str, tuple[str, str]] = {}
    """Dotted prefix to (object, our field that holds its natural key): `VENDOR.CREDITLIMIT`."""


ACTIVE = {"active": "T", "inactive": "F"}
PO_STATES = {
    "Draft": "I",
    "Submitted": "S",
    "Partially Approved": "X",
    "Approved": "A",
    "Declined": "R",
    "Pending": "O",
    "In Progress": "G",
    "Partially Converted": "P",
    "Converted": "C",
    "Closed": "D",
}
BILL_STATES = {
    "Draft": "D",
    "Submitted": "S",
    "Partially Approved": "PA",
    "Declined": "U",
    "Posted": "A",
    "Selected": "SE",
    "Partially Paid": "PP",
    "Paid": "P",
    "Reversal pending": "RP",
    "Reversed": "R",
}
PAYMENT_STATES = {"Draft": "D", "Submitted": "S", "Approved": "A", "Complete": "C", "Void": "V"}
CATEGORIES = {"Quote": "Q", "Order": "O", "Shipping": "S", "Invoice": "I", "Return": "R"}
EDIT_POLICIES = {"Never": "N", "Before Printing": "P", "All": "H"}
ACCESS_MODES = {
    "Access": "A",
    "Modify": "M",
    "Create": "C",
    "Delete": "D",
    "Workflow": "W",
    "Activity": "T",
    "User action": "U",
}

_ENUMS: Mapping[str, Mapping[str, str]] = {
    "PODOCUMENT.STATE": PO_STATES,
    "PODOCUMENTENTRY.STATE": PO_STATES,
    "APBILL.STATE": BILL_STATES,
    "APADJUSTMENT.STATE": BILL_STATES,
    "APPYMT.STATE": PAYMENT_STATES,
    "PODOCUMENTPARAMS.CATEGORY": CATEGORIES,
    "PODOCUMENTPARAMS.EDITTYPE": EDIT_POLICIES,
    "PODOCUMENTPARAMS.DELTYPE": EDIT_POLICIES,
    "AUDITHISTORY.ACCESSMODE": ACCESS_MODES,
}

_STAMPS = "WHENMODIFIED:S- CREATEDBY:T- MODIFIEDBY:T-"
_ENTITY = "MEGAENTITYKEY:T- MEGAENTITYID:T- MEGAENTITYNAME:T-"
_MASTER = f"RECORDNO:I- STATUS:E WHENCREATED:S- {_STAMPS} {_ENTITY}"


def _object(
    name: str,
    key: str,
    fields: str,
    *,
    indexed: str = "",
    owned: str = "",
    owned_by: str = "",
    document_type: bool = False,
    relations: Mapping[str, tuple[str, str]] | None = None,
) -> ObjectType:
    parsed: dict[str, Field] = {}
    for word in fields.split():
        field, flags = word.split(":")
        codes = _ENUMS.get(f"{name}.{field}", ACTIVE if field == "STATUS" else {})
        parsed[field] = Field(field, flags[0], "!" in flags, "-" in flags, codes)
    return ObjectType(name, key, parsed, tuple(indexed.split()), owned, owned_by, document_type, relations or {})


_ALL = [
    _object(
        "PODOCUMENT",
        "DOCID",
        "RECORDNO:I- DOCID:T- DOCNO:T DOCPARID:T! DOCPARCLASS:T- CATEGORY:T- PONUMBER:T VENDORDOCNO:T STATE:E"
        " CUSTVENDID:T! CUSTVENDNAME:T- CUSTREC:I- WHENCREATED:D! WHENPOSTED:D WHENDUE:D AUWHENCREATED:S-"
        f" {_STAMPS} CREATEDUSERID:T- USERID:T- TERM.NAME:T MESSAGE:T NOTE:T CURRENCY:T BASECURR:T EXCHRATEDATE:D"
        " EXCHRATETYPES.NAME:T EXCHRATE:N SUBTOTAL:C- TOTAL:C- TRX_SUBTOTAL:C- TRX_TOTAL:C- TRX_TOTALPAID:C-"
        " CREATEDFROM:T PRRECORDKEY:I- UPDATES_INV:T- PROJECT:T PROJECTKEY:T- SHIPTO.CONTACTNAME:T"
        f" BILLTO.CONTACTNAME:T DELIVERTO.CONTACTNAME:T SUPDOCID:T PRINTED:B- {_ENTITY} RECORD_URL:T-",
        indexed="DOCID DOCNO PONUMBER VENDORDOCNO CREATEDFROM PRRECORDKEY",
        owned="PODOCUMENTENTRY",
        document_type=True,
        relations={"VENDOR": ("VENDOR", "CUSTVENDID"), "TERM": ("APTERM", "TERM.NAME")},
    ),
    _object(
        "PODOCUMENTENTRY",
        "RECORDNO",
        "RECORDNO:I- DOCHDRNO:I- DOCHDRID:T- LINE_NO:I- BUNDLENUMBER:T ITEMID:T! ITEMNAME:T- ITEMDESC:T"
        " ITEM.ITEMTYPE:T- UNIT:T UIQTY:N! QUANTITY:N- UIPRICE:N PRICE:N- TRX_PRICE:N- UIVALUE:C- TRX_VALUE:C-"
        " TOTAL:C- MULTIPLIER:N DISCOUNTPERCENT:N MEMO:T EXTENDED_DESCRIPTION:T STATE:E- STATUS:E- CURRENCY:T"
        " EXCHRATE:N EXCHRATEDATE:D EXCHRATETYPE:T QTY_CONVERTED:N- QTY_REMAINING:N- TOTAL_AMOUNT_CONVERTED:C-"
        " TOTAL_AMOUNT_REMAINING:C- SOURCE_DOCID:T SOURCE_DOCKEY:T SOURCE_DOCLINEKEY:T LOCATIONID:T LOCATIONNAME:T-"
        " LOCATIONKEY:T- DEPARTMENT:T DEPARTMENTID:T DEPARTMENTNAME:T- DEPTKEY:T- PROJECTID:T PROJECTNAME:T-"
        " PROJECTKEY:T- TASKID:T COSTTYPEID:T CUSTOMERID:T VENDORID:T EMPLOYEEID:T CLASSID:T CLASSNAME:T-"
        " CLASSDIMKEY:T- CONTRACTID:T WAREHOUSE.LOCATION_NO:T WAREHOUSE.NAME:T- FORM1099:B BILLABLE:B BILLED:B-"
        " OVERRIDETAX:B PERCENTVAL:N TAXABSVAL:N LINETOTAL:C- TRX_TAXABSVAL:C- TRX_LINETOTAL:C- SALE_PUR_TRANS:T-"
        f" DOCPARID:T- WHENCREATED:D- AUWHENCREATED:S- {_STAMPS} {_ENTITY}",
        indexed="DOCHDRNO DOCHDRID SOURCE_DOCLINEKEY SOURCE_DOCID SOURCE_DOCKEY",
        owned_by="DOCHDRNO",
        document_type=True,
        relations={"ITEM": ("ITEM", "ITEMID")},
    ),
    _object(
        "PODOCUMENTSUBTOTALS",
        "RECORDNO",
        "RECORDNO:I- DOCHDRKEY:I- DESCRIPTION:T! TOTAL:C TRX_TOTAL:C LOCATIONID:T",
        indexed="DOCHDRKEY",
    ),
    _object(
        "PODOCUMENTPARAMS",
        "DOCID",
        "RECORDNO:I- DOCID:T! DOCCLASS:T CATEGORY:E UPDATES_GL:T UPDATES_INV:T IN_OUT:T SEQUENCE:T PRESERVE_SEQNUM:B"
        " INHERIT_SOURCE_DOCNO:B EDITTYPE:E DELTYPE:E CREATETYPE:T CONVTYPE:T RECALLS.RECDOCPAR:T TD_CREATION_RULE:T"
        f" DESCRIPTION:T STATUS:E WHENCREATED:S- {_STAMPS} {_ENTITY}",
        indexed="DOCID",
    ),
    _object(
        "APBILL",
        "RECORDNO",
        "RECORDNO:I- RECORDTYPE:T- RECORDID:T STATE:E- RAWSTATE:T- VENDORID:T! VENDORNAME:T- DOCNUMBER:T DESCRIPTION:T"
        " DESCRIPTION2:T- TERMNAME:T TERMKEY:T- TERMVALUE:T- WHENCREATED:D! WHENPOSTED:D WHENDISCOUNT:D WHENDUE:D"
        " WHENPAID:D- RECPAYMENTDATE:D PAYMENTPRIORITY:T ONHOLD:B BASECURR:T CURRENCY:T EXCH_RATE_DATE:D"
        " EXCH_RATE_TYPE_ID:T EXCHANGE_RATE:N TOTALENTERED:C- TOTALSELECTED:C- TOTALPAID:C- TOTALDUE:C-"
        " TRX_TOTALENTERED:C- TRX_TOTALSELECTED:C- TRX_TOTALPAID:C- TRX_TOTALDUE:C- BILLTOPAYTOCONTACTNAME:T"
        " SHIPTORETURNTOCONTACTNAME:T PRBATCH:T PRBATCHKEY:T- MODULEKEY:T- SYSTEMGENERATED:B- DUE_IN_DAYS:I- SUPDOCID:T"
        f" INCLUSIVETAX:B TAXSOLUTIONID:T AUWHENCREATED:S- {_STAMPS} {_ENTITY} RECORD_URL:T-",
        indexed="RECORDID DOCNUMBER VENDORID DESCRIPTION2",
        owned="APBILLITEM",
        relations={"VENDOR": ("VENDOR", "VENDORID"), "TERM": ("APTERM", "TERMNAME")},
    ),
    _object(
        "APBILLITEM",
        "RECORDNO",
        "RECORDNO:I- RECORDKEY:I- LINE_NO:I- ACCOUNTNO:T ACCOUNTTITLE:T- ACCOUNTLABEL:T OFFSETGLACCOUNTNO:T AMOUNT:C"
        " TRX_AMOUNT:C! ENTRYDESCRIPTION:T LOCATIONID:T LOCATIONNAME:T- DEPARTMENTID:T DEPARTMENTNAME:T- PROJECTID:T"
        " TASKID:T CUSTOMERID:T VENDORID:T EMPLOYEEID:T ITEMID:T ITEMNAME:T- CLASSID:T CONTRACTID:T WAREHOUSEID:T"
        " FORM1099:B FORM1099TYPE:T FORM1099BOX:T BILLABLE:B ALLOCATION:T CURRENCY:T BASECURR:T TOTALPAID:C-"
        " TRX_TOTALPAID:C- TOTALSELECTED:C- TRX_TOTALSELECTED:C-"
        f" STATE:T- WHENCREATED:S- {_STAMPS} {_ENTITY}",
        indexed="RECORDKEY",
        owned_by="RECORDKEY",
    ),
    _object(
        "APADJUSTMENT",
        "RECORDNO",
        "RECORDNO:I- RECORDTYPE:T- RECORDID:T STATE:E- RAWSTATE:T- VENDORID:T! VENDORNAME:T- DOCNUMBER:T DESCRIPTION:T"
        " DESCRIPTION2:T- WHENCREATED:D! WHENPOSTED:D WHENPAID:D- BASECURR:T CURRENCY:T TOTALENTERED:C-"
        " TOTALSELECTED:C- TOTALPAID:C- TOTALDUE:C- TRX_TOTALENTERED:C- TRX_TOTALSELECTED:C- TRX_TOTALPAID:C-"
        f" TRX_TOTALDUE:C- PRBATCH:T MODULEKEY:T- AUWHENCREATED:S- {_STAMPS} {_ENTITY} RECORD_URL:T-",
        indexed="RECORDID DOCNUMBER VENDORID",
        owned="APADJUSTMENTITEM",
        relations={"VENDOR": ("VENDOR", "VENDORID")},
    ),
    _object(
        "APADJUSTMENTITEM",
        "RECORDNO",
        "RECORDNO:I- RECORDKEY:I- LINE_NO:I- ACCOUNTNO:T ACCOUNTLABEL:T AMOUNT:C TRX_AMOUNT:C ENTRYDESCRIPTION:T"
        f" LOCATIONID:T DEPARTMENTID:T PROJECTID:T ITEMID:T CLASSID:T CURRENCY:T WHENCREATED:S- {_STAMPS} {_ENTITY}",
        indexed="RECORDKEY",
        owned_by="RECORDKEY",
    ),
    _object(
        "APPYMT",
        "RECORDNO",
        "RECORDNO:I- RECORDTYPE:T- RECORDID:T- STATE:E- FINANCIALENTITY:T! FINANCIALENTITYTYPE:T- PAYMENTMETHOD:T!"
        " PAYMENTREQUESTMETHOD:T VENDORID:T! VENDORNAME:T- DOCNUMBER:T DESCRIPTION:T PAYMENTDATE:D! WHENPAID:D-"
        " WHENCREATED:D- BASECURR:T CURRENCY:T EXCH_RATE_DATE:D EXCH_RATE_TYPE_ID:T EXCHANGE_RATE:N AMOUNTTOPAY:C"
        " PAYMENTAMOUNT:C- TRX_PAYMENTAMOUNT:C- TOTALENTERED:C- TRX_TOTALENTERED:C- PAYMENTTYPE:T- CLEARED:B-"
        f" AUWHENCREATED:S- {_STAMPS} {_ENTITY} RECORD_URL:T-",
        indexed="DOCNUMBER VENDORID",
        owned="APPYMTDETAIL",
        relations={"VENDOR": ("VENDOR", "VENDORID")},
    ),
    _object(
        "APPYMTDETAIL",
        "RECORDNO",
        "RECORDNO:I- PAYMENTKEY:I- RECORDKEY:I ENTRYKEY:I POSADJKEY:I POSADJENTRYKEY:I PAYMENTAMOUNT:C"
        " TRX_PAYMENTAMOUNT:C DISCOUNTDATE:D ADJUSTMENTKEY:I ADJUSTMENTENTRYKEY:I TRX_ADJUSTMENTAMOUNT:C CURRENCY:T"
        f" STATE:T- PAYMENTDATE:D- WHENCREATED:S- {_STAMPS} {_ENTITY}",
        indexed="PAYMENTKEY RECORDKEY",
        owned_by="PAYMENTKEY",
    ),
    _object(
        "VENDOR",
        "VENDORID",
        f"{_MASTER} VENDORID:T NAME:T! VENDTYPE:T PARENTID:T TAXID:T NAME1099:T FORM1099TYPE:T FORM1099BOX:T TERMNAME:T"
        " CURRENCY:T APACCOUNT:T ONHOLD:B ONETIME:B DONOTCUTCHECK:B CREDITLIMIT:C TOTALDUE:C- PAYMETHODKEY:T"
        " OBJECTRESTRICTION:T RESTRICTEDLOCATIONS:T COMMENTS:T DISPLAYCONTACT.CONTACTNAME:T- DISPLAYCONTACT.PRINTAS:T"
        " DISPLAYCONTACT.COMPANYNAME:T DISPLAYCONTACT.FIRSTNAME:T DISPLAYCONTACT.LASTNAME:T DISPLAYCONTACT.PHONE1:T"
        " DISPLAYCONTACT.EMAIL1:T DISPLAYCONTACT.MAILADDRESS.ADDRESS1:T DISPLAYCONTACT.MAILADDRESS.CITY:T"
        " DISPLAYCONTACT.MAILADDRESS.STATE:T DISPLAYCONTACT.MAILADDRESS.ZIP:T DISPLAYCONTACT.MAILADDRESS.COUNTRY:T",
        indexed="VENDORID",
    ),
    _object(
        "GLACCOUNT",
        "ACCOUNTNO",
        f"{_MASTER} ACCOUNTNO:T! TITLE:T! ACCOUNTTYPE:T NORMALBALANCE:T CLOSINGTYPE:T CLOSINGACCOUNTNO:T CATEGORY:T"
        " REQUIREDEPT:B REQUIRELOC:B REQUIREPROJECT:B REQUIRETASK:B REQUIRECUSTOMER:B REQUIREVENDOR:B REQUIREEMPLOYEE:B"
        " REQUIREITEM:B REQUIRECLASS:B",
        indexed="ACCOUNTNO",
    ),
    _object(
        "ITEM",
        "ITEMID",
        f"{_MASTER} ITEMID:T! NAME:T! ITEMTYPE:T! UOMGRP:T PODESCRIPTION:T PRODUCTLINEID:T GLGROUP:T STANDARD_COST:C"
        " BASEPRICE:C PO_PRECISION:I",
        indexed="ITEMID",
    ),
    _object(
        "DEPARTMENT",
        "DEPARTMENTID",
        f"{_MASTER} DEPARTMENTID:T! TITLE:T! PARENTID:T SUPERVISORNAME:T",
        indexed="DEPARTMENTID",
    ),
    _object(
        "LOCATION",
        "LOCATIONID",
        f"{_MASTER} LOCATIONID:T! NAME:T! PARENTID:T CURRENCY:T ENTITY:T",
        indexed="LOCATIONID",
    ),
    _object(
        "LOCATIONENTITY",
        "LOCATIONID",
        f"{_MASTER} LOCATIONID:T! NAME:T! CURRENCY:T STARTDATE:D ENDDATE:D OPCOUNTRY:T",
        indexed="LOCATIONID",
    ),
    _object("CLASS", "CLASSID", f"{_MASTER} CLASSID:T! NAME:T! PARENTID:T DESCRIPTION:T", indexed="CLASSID"),
    _object(
        "PROJECT",
        "PROJECTID",
        f"{_MASTER} PROJECTID:T! NAME:T! PROJECTCATEGORY:T PROJECTSTATUS:T PARENTID:T CUSTOMERID:T CURRENCY:T",
        indexed="PROJECTID",
    ),
    _object("TASK", "TASKID", f"{_MASTER} TASKID:T! PROJECTID:T NAME:T!", indexed="TASKID"),
    _object("CUSTOMER", "CUSTOMERID", f"{_MASTER} CUSTOMERID:T! NAME:T! PARENTID:T TOTALDUE:C-", indexed="CUSTOMERID"),
    _object(
        "EMPLOYEE",
        "EMPLOYEEID",
        f"{_MASTER} EMPLOYEEID:T PERSONALINFO.CONTACTNAME:T LOCATIONID:T DEPARTMENTID:T SUPERVISORID:T STARTDATE:D"
        " ENDDATE:D",
        indexed="EMPLOYEEID",
    ),
    _object(
        "APTERM",
        "NAME",
        f"{_MASTER} NAME:T! DESCRIPTION:T DUEDATE:I DUEFROM:T DISCDATE:I DISCFROM:T DISCAMOUNT:N DISCPERCAMN:T",
        indexed="NAME",
    ),
    _object("UOM", "NAME", f"{_MASTER} NAME:T! INVTYPE:T BASEUNIT:T", indexed="NAME", owned="UOMDETAIL"),
    _object(
        "UOMDETAIL",
        "UNIT",
        f"{_MASTER} GRPKEY:I- UNIT:T! ABBREVIATION:T CONVFACTOR:N NUMDECIMALS:I ISBASE:B",
        indexed="GRPKEY UNIT",
        owned_by="GRPKEY",
    ),
    _object("WAREHOUSE", "WAREHOUSEID", f"{_MASTER} WAREHOUSEID:T! NAME:T! LOCATIONID:T", indexed="WAREHOUSEID"),
    _object(
        "CONTACT",
        "CONTACTNAME",
        f"{_MASTER} CONTACTNAME:T! PRINTAS:T! COMPANYNAME:T FIRSTNAME:T LASTNAME:T EMAIL1:T PHONE1:T"
        " MAILADDRESS.ADDRESS1:T MAILADDRESS.CITY:T MAILADDRESS.STATE:T MAILADDRESS.ZIP:T MAILADDRESS.COUNTRY:T",
        indexed="CONTACTNAME",
    ),
    _object(
        "CHECKINGACCOUNT",
        "BANKACCOUNTID",
        f"{_MASTER} BANKACCOUNTID:T! BANKNAME:T! BANKACCOUNTNO:T BANKACCOUNTTYPE:T GLACCOUNTNO:T CURRENCY:T"
        " LOCATIONID:T DEPARTMENTID:T",
        indexed="BANKACCOUNTID",
    ),
    _object("COMPANYPREF", "PREFERENCE", "RECORDNO:I- APPLICATION:T PREFERENCE:T PREFVALUE:T", indexed="APPLICATION"),
    _object(
        "AUDITHISTORY",
        "ID",
        "RECORDNO:I- ID:T- OBJECTTYPE:T- OBJECTKEY:T- OBJECTDESC:T- ACCESSTIME:S- ACCESSMODE:E- USERID:T- SOURCE:T-"
        " WORKFLOWACTION:T- IPADDRESS:T-",
        indexed="OBJECTKEY",
    ),
]

OBJECTS: Mapping[str, ObjectType] = {kind.name: kind for kind in _ALL}

MASTERS = frozenset(
    [
        "VENDOR",
        "GLACCOUNT",
        "ITEM",
        "DEPARTMENT",
        "LOCATION",
        "LOCATIONENTITY",
        "CLASS",
        "PROJECT",
        "TASK",
        "CUSTOMER",
        "EMPLOYEE",
        "WAREHOUSE",
        "CONTACT",
        "CHECKINGACCOUNT",
    ]
)
"""What generic create, update and delete accept besides bills and payments; terms have functions of their own."""
