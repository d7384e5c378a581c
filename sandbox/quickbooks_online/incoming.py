"""What a client sends, as clean values: known fields of the right kind; what is read-only or unknown is left out."""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.entities import Field
from sandbox.quickbooks_online.errors import Refused, invalid_reference
from sandbox.quickbooks_online.values import (
    Json,
    day_of,
    flag_of,
    is_empty,
    number_of,
    reference_of,
    text_of,
    whole_of,
)

_ADDRESS = (
    *("Line1", "Line2", "Line3", "Line4", "Line5", "City", "Country", "CountrySubDivisionCode", "PostalCode"),
    *("Lat", "Long", "Note"),
)
_FORBIDDEN = frozenset(chr(code) for code in range(32) if chr(code) not in "\t\n\r")


def read_fields(company: Company, fields: Mapping[str, Field], body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a body names; None where it names one without a value. Raises Refused.

    Lines and links are read elsewhere: they need to know the document.
    """
    read: dict[str, Any] = {}
    for name, field in fields.items():
        if field.kind in ("lines", "links") or name not in body:
            continue
        given = body[name]
        read[name] = None if is_empty(given) else READ[field.kind](company, field, given)
    return read


def _text(company: Company, field: Field, given: Any) -> Any:
    text = text_of(given, field.name, field.longest)
    if _FORBIDDEN & set(text):
        raise Refused("2040", "Invalid String", f"{field.name} contains invalid characters", element=field.name)
    return text or None


def _choice(company: Company, field: Field, given: Any) -> Any:
    words = field.target.split("|")
    if str(given) not in words:
        raise Refused("2170", "Invalid Enumeration", f"Invalid Enumeration : {given}", element=field.name)
    return str(given)


def _reference(company: Company, field: Field, given: Any) -> Any:
    identifier = reference_of(given, field.name)
    return company.pointed(field.target, identifier, field.name).id if identifier else None


def _currency(company: Company, field: Field, given: Any) -> Any:
    code = reference_of(given, field.name).upper()
    if not code:
        return None
    if code != company.home_currency and not company.preference("CurrencyPrefs", "MultiCurrencyEnabled"):
        raise invalid_reference("Currencies", code, field.name)
    return code


def _address(company: Company, field: Field, given: Any) -> Any:
    if not isinstance(given, Mapping):
        raise Refused("2120", "Invalid type", f"{field.name} is an address", element=field.name)
    address = {name: text_of(given[name], name, 500) for name in _ADDRESS if not is_empty(given.get(name))}
    return {"Id": str(given.get("Id") or "1"), **address} if address else None


def _one(name: str) -> Callable[[Company, Field, Any], Any]:
    def read(company: Company, field: Field, given: Any) -> Json | None:
        """The one text of a phone number, an e-mail address or a web address."""
        value = given.get(name) if isinstance(given, Mapping) else given
        return None if is_empty(value) else {name: text_of(value, field.name, field.longest or 500)}

    return read


def _account_of(company: Company, given: Any, name: str, words: tuple[str, ...]) -> str:
    if not isinstance(given, Mapping):
        raise Refused("2120", "Invalid type", f"{name} is a reference", element=name)
    identifier = reference_of(given.get(name), name)
    if not identifier:
        raise Refused(
            "2020", "Required param missing", f"Required parameter {name} is missing in the request", element=name
        )
    account = company.pointed("Account", identifier, name)
    if account["AccountType"] not in words:
        raise Refused(
            "6430",
            "Invalid account type",
            f"Invalid account type: You need to select a {' or '.join(words)} account for this transaction.",
            element=name,
        )
    return account.id


def _check(company: Company, field: Field, given: Any) -> Any:
    account = _account_of(company, given, "BankAccountRef", ("Bank",))
    return {"account": account, "print": str(given.get("PrintStatus") or "NotSet")}


def _card(company: Company, field: Field, given: Any) -> Any:
    return {"account": _account_of(company, given, "CCAccountRef", ("Credit Card",))}


def _customer(company: Company, field: Field, given: Any) -> Any:
    identifier = reference_of(given, field.name)
    if not identifier or not company.preference("VendorAndPurchasesPrefs", "TrackingByCustomer"):
        return None
    raise invalid_reference("Customers", identifier, field.name)


def _custom(company: Company, field: Field, given: Any) -> Any:
    """The company's custom fields that have a text."""
    if not isinstance(given, list):
        raise Refused("3000", "Invalid custom field", "CustomField is a list", element="CustomField")
    kept = []
    for one in given:
        if not isinstance(one, Mapping) or is_empty(one.get("StringValue")):
            continue
        identifier = str(one.get("DefinitionId") or "")
        if identifier not in ("1", "2", "3"):
            raise Refused(
                "3000", "Invalid custom field", f"DefinitionId {identifier} is unknown", element="CustomField"
            )
        text = text_of(one["StringValue"], "StringValue", 31)
        named = {"Name": str(one["Name"])} if one.get("Name") else {}
        kept.append({"DefinitionId": identifier, **named, "Type": "StringType", "StringValue": text})
    return kept or None


def _attached(company: Company, field: Field, given: Any) -> Any:
    if not isinstance(given, list):
        raise Refused("2120", "Invalid type", "AttachableRef is a list", element=field.name)
    kept = []
    for one in given:
        entity = one.get("EntityRef") if isinstance(one, Mapping) else None
        if isinstance(entity, Mapping) and entity.get("value"):
            target = {"value": str(entity["value"]), "type": str(entity.get("type") or "")}
            kept.append({"EntityRef": target, "IncludeOnSend": bool(one.get("IncludeOnSend"))})
    return kept or None


def _ignored(company: Company, field: Field, given: Any) -> Any:
    """A company in the United States computes no tax on what it buys."""
    return None


READ: Mapping[str, Callable[[Company, Field, Any], Any]] = {
    "text": _text,
    "choice": _choice,
    "number": lambda company, field, given: number_of(given, field.name),
    "whole": lambda company, field, given: whole_of(given, field.name),
    "date": lambda company, field, given: day_of(given, field.name).isoformat(),
    "flag": lambda company, field, given: flag_of(given, field.name),
    "ref": _reference,
    "currency": _currency,
    "freeref": lambda company, field, given: reference_of(given, field.name) or None,
    "named": lambda company, field, given: reference_of(given, field.name) or None,
    "customer": _customer,
    "address": _address,
    "email": _one("Address"),
    "phone": _one("FreeFormNumber"),
    "web": _one("URI"),
    "check": _check,
    "card": _card,
    "custom": _custom,
    "attached": _attached,
    "ignored": _ignored,
}
