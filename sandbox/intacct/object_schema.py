"""What objects look like: lookup, inspect, approval history (reference 2.3)."""

from html import escape

from lxml import etree

from sandbox.intacct.call_context import Call
from sandbox.intacct.envelope import Result, text_of
from sandbox.intacct.object_types import DATATYPES, Field, ObjectType
from sandbox.intacct.objects import OBJECTS
from sandbox.intacct.reading import object_type
from sandbox.intacct.rows import custom_fields


def run_lookup(call: Call, element: etree._Element) -> Result:
    """Every field with label, type and valid values; works without permission on the object."""
    kind = object_type(text_of(element, "object"))
    left_out = call.company.left_out(kind.name)
    fields = "".join(_field(field) for field in kind.fields.values() if field.name not in left_out)
    for name in sorted(custom_fields(call, kind) - kind.fields.keys()):
        fields += _field(Field(name, "T"), custom=True)
    relations = "".join(_relation(path, target) for path, (target, _) in kind.relations.items())
    docparid = escape(text_of(element, "docparid"))
    return Result(
        data=f'<data><Type Name="{kind.name}" DocumentType="{docparid}"><Fields>{fields}</Fields>'
        f"<Relationships>{relations}</Relationships></Type></data>"
    )


def _field(field: Field, *, custom: bool = False) -> str:
    label = field.name.replace("_", " ").replace(".", " ").title()
    values = "".join(f"<VALIDVALUE>{escape(label)}</VALIDVALUE>" for label in field.codes)
    return (
        f"<Field><ID>{field.name}</ID><LABEL>{label}</LABEL><DESCRIPTION>{label}</DESCRIPTION>"
        f"<REQUIRED>{str(field.required).lower()}</REQUIRED><READONLY>{str(field.readonly).lower()}</READONLY>"
        f"<DATATYPE>{DATATYPES[field.datatype]}</DATATYPE>"
        + (f"<VALIDVALUES>{values}</VALIDVALUES>" if values else "")
        + f"<ISCUSTOM>{str(custom).lower()}</ISCUSTOM></Field>"
    )


def _relation(path: str, target: str) -> str:
    return (
        f"<Relationship><OBJECTPATH>{path}</OBJECTPATH><OBJECTNAME>{target}</OBJECTNAME><LABEL>{path.title()}</LABEL>"
        f"<RELATIONSHIPTYPE>MANY2ONE</RELATIONSHIPTYPE><RELATEDBY>{OBJECTS[target].key}</RELATEDBY></Relationship>"
    )


def run_inspect(call: Call, element: etree._Element) -> Result:
    """The object types there are (`*`), or one with its field names and, with detail, their types."""
    name = text_of(element, "object") or text_of(element, "name") or "*"
    if name == "*":
        types = "".join(f'<type typename="{kind}">{kind}</type>' for kind in OBJECTS)
        return Result(data=f'<data listtype="All" count="{len(OBJECTS)}">{types}</data>')
    kind = object_type(name)
    detail = element.get("detail", "0") == "1"
    return Result(data=f'<data><Type Name="{kind.name}"><Fields>{_names(kind, detail)}</Fields></Type></data>')


def _names(kind: ObjectType, detail: bool) -> str:
    if detail:
        return "".join(_field(field) for field in kind.fields.values())
    return "".join(f"<Field>{name}</Field>" for name in kind.fields)


_DIMENSIONS = (
    "DEPARTMENT",
    "LOCATION",
    "PROJECT",
    "CUSTOMER",
    "VENDOR",
    "EMPLOYEE",
    "ITEM",
    "CLASS",
    "TASK",
    "WAREHOUSE",
)


def run_get_dimensions(call: Call, element: etree._Element) -> Result:
    """Answer the dimensions of the company, those that its users defined last."""
    fields = {field for named in call.company.custom_fields.values() for field in named}
    own = sorted(field.removeprefix("GLDIM") for field in fields if field.startswith("GLDIM"))
    shown = "".join(_dimension(name, own=False) for name in _DIMENSIONS)
    shown += "".join(_dimension(name, own=True) for name in own)
    return Result(data=f"<data><dimensions>{shown}</dimensions></data>")


def _dimension(name: str, *, own: bool) -> str:
    label = escape(name.replace("_", " ").title())
    return (
        f"<dimension><objectName>{escape(name)}</objectName><objectLabel>{label}</objectLabel>"
        f"<termLabel>{label}</termLabel><userDefinedDimension>{str(own).lower()}</userDefinedDimension>"
        "<enabledInGL>true</enabledInGL></dimension>"
    )


def run_get_approval_history(call: Call, element: etree._Element) -> Result:
    """The workflow steps of a purchasing document, from its audit rows."""
    docid = text_of(element, "docid")
    shown = ""
    for record in call.company["AUDITHISTORY"].rows.values():
        if record["OBJECTDESC"] == docid and record["WORKFLOWACTION"] in ("Approved", "Declined", "Submitted"):
            shown += (
                f"<approvalhistory><action>{record['WORKFLOWACTION']}</action><user>{escape(record['USERID'])}</user>"
                f"<date>{record['ACCESSTIME']}</date></approvalhistory>"
            )
    return Result(data=f"<data>{shown}</data>")
