"""Vendors and contacts by the legacy functions, as old clients still write them (reference 3.8)."""

from collections.abc import Callable, Mapping

from lxml import etree

from sandbox.intacct.call_context import Call
from sandbox.intacct.envelope import Raw, Result
from sandbox.intacct.errors import FunctionError, could_not, invalid
from sandbox.intacct.generic import change_master, delete_master, insert_master
from sandbox.intacct.objects import OBJECTS
from sandbox.intacct.tables import Record

_RENAMED = {"glaccountno": "APACCOUNT", "category": "GLGROUP", "paymethod": "PAYMETHODKEY"}
_CONTACT = {"contactinfo": "DISPLAYCONTACT.", "payto": "PAYTO.", "returnto": "RETURNTO."}


def _vendor_fields(element: etree._Element) -> dict[str, str]:
    """The children by the names of the object's fields; a whole contact becomes the fields of its prefix."""
    fields: dict[str, str] = {}
    for child in element:
        word = str(child.tag)
        if word in _CONTACT:
            fields |= _contact_fields(child, _CONTACT[word])
        elif len(child) == 0:
            fields[_RENAMED.get(word, word.upper())] = (child.text or "").strip()
    return fields


def _contact_fields(element: etree._Element, prefix: str) -> dict[str, str]:
    known = OBJECTS["VENDOR"].fields
    fields: dict[str, str] = {}
    for child in element.iter(etree.Element):
        above = f"{prefix}MAILADDRESS." if child.getparent() is not None and _is(child, "mailaddress") else prefix
        name = f"{above}{str(child.tag).upper()}"
        if len(child) == 0 and name in known:
            fields[name] = (child.text or "").strip()
    return fields


def _is(child: etree._Element, parent: str) -> bool:
    above = child.getparent()
    return above is not None and above.tag == parent


def _found(call: Call, object_name: str, key: str) -> Record:
    record = call.company[object_name].first(OBJECTS[object_name].key, key)
    entity = call.session.entity
    if record is None or (entity and record["MEGAENTITYID"] not in ("", entity)):
        raise invalid(f"{object_name} {key} does not exist.", "Provide a valid key.")
    return record


def run_create_vendor(call: Call, element: etree._Element) -> Result:
    """Answer the vendor's id as key.

    Raises:
        FunctionError: the vendor is refused; behind the reason stands that it could not be created.
    """
    try:
        return Result(key=insert_master(call, "VENDOR", _vendor_fields(element))["VENDORID"])
    except FunctionError as error:
        raise could_not("create Vendor", error) from None


def run_update_vendor(call: Call, element: etree._Element) -> Result:
    """Change the vendor that the attribute `vendorid` names."""
    record = _found(call, "VENDOR", element.get("vendorid", ""))
    change_master(call, "VENDOR", record, _vendor_fields(element))
    return Result(key=record["VENDORID"])


def run_delete_vendor(call: Call, element: etree._Element) -> Result:
    """Delete the vendor that the attribute `vendorid` names; refused once it was used."""
    delete_master(call, "VENDOR", _found(call, "VENDOR", element.get("vendorid", "")))
    return Result()


def run_delete_contact(call: Call, element: etree._Element) -> Result:
    """Delete the contact that the attribute `contactname` names."""
    delete_master(call, "CONTACT", _found(call, "CONTACT", element.get("contactname", "")))
    return Result()


FUNCTIONS: Mapping[str, Callable[[Call, etree._Element], Result | Raw]] = {
    "create_vendor": run_create_vendor,
    "update_vendor": run_update_vendor,
    "delete_vendor": run_delete_vendor,
    "delete_contact": run_delete_contact,
}
OBJECTS_OF = {name: "CONTACT" if name.endswith("contact") else "VENDOR" for name in FUNCTIONS}
