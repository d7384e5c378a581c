"""What the company holds now, as JSON for assertions: documents with their links, bills and payments."""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.intacct.company import Company
from sandbox.intacct.documents import lines_of
from sandbox.intacct.payments import details_of
from sandbox.intacct.subtotals import of_document
from sandbox.intacct.tables import Record

Shown = dict[str, Any]

_MASTERS = {
    "vendors": "VENDOR",
    "items": "ITEM",
    "accounts": "GLACCOUNT",
    "departments": "DEPARTMENT",
    "locations": "LOCATION",
    "entities": "LOCATIONENTITY",
    "classes": "CLASS",
    "projects": "PROJECT",
    "customers": "CUSTOMER",
    "employees": "EMPLOYEE",
    "terms": "APTERM",
    "bank_accounts": "CHECKINGACCOUNT",
    "unit_groups": "UOM",
    "units": "UOMDETAIL",
    "definitions": "PODOCUMENTPARAMS",
    "audit": "AUDITHISTORY",
}
_CATEGORIES = {
    "purchase_orders": "Order",
    "receipts": "Shipping",
    "vendor_invoices": "Invoice",
    "returns": "Return",
    "requisitions": "Quote",
}


def show(company: Company, kind: str) -> list[Shown]:
    """Every record of a kind, oldest first."""
    if kind in _CATEGORIES:
        category = _CATEGORIES[kind]
        rows = company["PODOCUMENT"].rows.values()
        return [_document(company, record) for record in rows if record["CATEGORY"] == category]
    if kind in _MASTERS:
        return [_master(record) for record in company[_MASTERS[kind]].rows.values()]
    object_name, shape = _PAYABLES[kind]
    return [shape(company, record) for record in company[object_name].rows.values()]


def document(company: Company, record: Record) -> Shown:
    """One purchasing document."""
    return _document(company, record)


def _master(record: Record) -> Shown:
    return {field.lower(): value for field, value in record.values.items()}


def _document(company: Company, record: Record) -> Shown:
    return {
        "record_no": record["RECORDNO"],
        "document_id": record["DOCID"],
        "number": record["DOCNO"],
        "definition": record["DOCPARID"],
        "state": record["STATE"],
        "vendor_id": record["CUSTVENDID"],
        "vendor_name": record["CUSTVENDNAME"],
        "date": record["WHENCREATED"],
        "posting_date": record["WHENPOSTED"],
        "due_date": record["WHENDUE"],
        "currency": record["CURRENCY"],
        "total": record["TRX_TOTAL"],
        "paid": record["TRX_TOTALPAID"],
        "reference": record["PONUMBER"],
        "custom_fields": _custom_fields(company, "PODOCUMENT", record),
        "vendor_number": record["VENDORDOCNO"],
        "memo": record["MESSAGE"],
        "term": record["TERM.NAME"],
        "created_from": record["CREATEDFROM"],
        "entity": record["MEGAENTITYID"],
        "bill_record_no": record["PRRECORDKEY"],
        "modified_at": record["WHENMODIFIED"],
        "lines": [
            _line(line) | {"custom_fields": _custom_fields(company, "PODOCUMENTENTRY", line)}
            for line in lines_of(company, record)
        ],
        "subtotals": [
            {"description": row["DESCRIPTION"], "amount": row["TRX_TOTAL"]} for row in of_document(company, record)
        ],
    }


def _line(line: Record) -> Shown:
    return {
        "record_no": line["RECORDNO"],
        "line_no": int(line["LINE_NO"]) + 1,
        "item_id": line["ITEMID"],
        "description": line["ITEMDESC"],
        "memo": line["MEMO"],
        "unit": line["UNIT"],
        "quantity": line["UIQTY"],
        "price": line["UIPRICE"],
        "amount": line["TRX_VALUE"],
        "converted": line["QTY_CONVERTED"],
        "remaining": line["QTY_REMAINING"],
        "converted_amount": line["TOTAL_AMOUNT_CONVERTED"],
        "source_document": line["SOURCE_DOCID"],
        "source_line": line["SOURCE_DOCLINEKEY"],
        "location": line["LOCATIONID"],
        "department": line["DEPARTMENTID"],
        "class": line["CLASSID"],
        "project": line["PROJECTID"],
        "vendor": line["VENDORID"],
        "billable": line["BILLABLE"],
        "warehouse": line["WAREHOUSE.LOCATION_NO"],
    }


def _bill(company: Company, record: Record) -> Shown:
    items = company["APBILLITEM"].find("RECORDKEY", record["RECORDNO"])
    return {
        "record_no": record["RECORDNO"],
        "number": record["RECORDID"],
        "state": record["STATE"],
        "vendor_id": record["VENDORID"],
        "vendor_name": record["VENDORNAME"],
        "reference": record["DOCNUMBER"],
        "source_document": record["DESCRIPTION2"],
        "module": record["MODULEKEY"],
        "date": record["WHENCREATED"],
        "due_date": record["WHENDUE"],
        "paid_date": record["WHENPAID"],
        "currency": record["CURRENCY"],
        "total": record["TRX_TOTALENTERED"],
        "paid": record["TRX_TOTALPAID"],
        "selected": record["TRX_TOTALSELECTED"],
        "due": record["TRX_TOTALDUE"],
        "memo": record["DESCRIPTION"],
        "custom_fields": _custom_fields(company, "APBILL", record),
        "entity": record["MEGAENTITYID"],
        "modified_at": record["WHENMODIFIED"],
        "lines": [
            {
                "line_no": int(item["LINE_NO"]),
                "account": item["ACCOUNTNO"],
                "item_id": item["ITEMID"],
                "amount": item["TRX_AMOUNT"],
                "description": item["ENTRYDESCRIPTION"],
                "location": item["LOCATIONID"],
                "department": item["DEPARTMENTID"],
                "class": item["CLASSID"],
                "project": item["PROJECTID"],
                "vendor": item["VENDORID"],
                "custom_fields": _custom_fields(company, "APBILLITEM", item),
            }
            for item in items
        ],
    }


def _custom_fields(company: Company, name: str, record: Record) -> Shown:
    """The company's own fields that the record has a value in."""
    names = sorted(company.custom_fields.get(name, ()))
    return {field: value for field in names if (value := record.values.get(field))}


def adjustment(company: Company, record: Record) -> Shown:
    items = company["APADJUSTMENTITEM"].find("RECORDKEY", record["RECORDNO"])
    return {
        "record_no": record["RECORDNO"],
        "number": record["RECORDID"],
        "state": record["STATE"],
        "vendor_id": record["VENDORID"],
        "reference": record["DOCNUMBER"],
        "source_document": record["DESCRIPTION2"],
        "module": record["MODULEKEY"],
        "date": record["WHENCREATED"],
        "total": record["TRX_TOTALENTERED"],
        "paid": record["TRX_TOTALPAID"],
        "due": record["TRX_TOTALDUE"],
        "currency": record["CURRENCY"],
        "entity": record["MEGAENTITYID"],
        "lines": [
            {"account": item["ACCOUNTNO"], "amount": item["TRX_AMOUNT"], "description": item["ENTRYDESCRIPTION"]}
            for item in items
        ],
    }


def _payment(company: Company, record: Record) -> Shown:
    return {
        "record_no": record["RECORDNO"],
        "state": record["STATE"],
        "vendor_id": record["VENDORID"],
        "document_number": record["DOCNUMBER"],
        "date": record["PAYMENTDATE"],
        "amount": record["TRX_PAYMENTAMOUNT"],
        "currency": record["CURRENCY"],
        "method": record["PAYMENTMETHOD"],
        "bank_account": record["FINANCIALENTITY"],
        "memo": record["DESCRIPTION"],
        "entity": record["MEGAENTITYID"],
        "modified_at": record["WHENMODIFIED"],
        "details": [
            {"bill_record_no": detail["RECORDKEY"], "amount": detail["TRX_PAYMENTAMOUNT"]}
            for detail in details_of(company, record)
        ],
    }


_PAYABLES: Mapping[str, tuple[str, Callable[[Company, Record], Shown]]] = {
    "bills": ("APBILL", _bill),
    "adjustments": ("APADJUSTMENT", adjustment),
    "payments": ("APPYMT", _payment),
}
KINDS = frozenset([*_CATEGORIES, *_MASTERS, *_PAYABLES])


def bill(company: Company, record: Record) -> Shown:
    """One bill."""
    return _bill(company, record)


def payment(company: Company, record: Record) -> Shown:
    """One payment."""
    return _payment(company, record)
