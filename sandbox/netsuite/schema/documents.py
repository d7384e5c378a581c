"""The WSDL and the XSDs that are served, written from the shapes. Namespaces nothing here uses are empty schemas."""

from functools import lru_cache

from sandbox.netsuite.schema.namespaces import BY_KEY, GROUPS, VERSIONS, Group, platform_uri, uri
from sandbox.netsuite.schema.shapes import (
    ENUMERATION_OF,
    ENUMERATIONS,
    OPERATIONS,
    SHAPES,
    SIMPLE,
    Field,
    Shape,
)

FAULTS = (
    "insufficientPermissionFault",
    "invalidCredentialsFault",
    "invalidSessionFault",
    "exceededConcurrentRequestLimitFault",
    "exceededRequestLimitFault",
    "exceededUsageLimitFault",
    "exceededRecordCountFault",
    "exceededRequestSizeFault",
    "invalidVersionFault",
    "unexpectedErrorFault",
)
_HEADERS = {
    "applicationInfo": "ApplicationInfo",
    "partnerInfo": "PartnerInfo",
    "documentInfo": "DocumentInfo",
    "preferences": "Preferences",
    "searchPreferences": "SearchPreferences",
}
_WITHOUT_PREFERENCES = frozenset(["getServerTime", "getAccountGovernanceInfo", "getIntegrationGovernanceInfo"])
_SEARCHES = frozenset(["search", "searchMoreWithId"])
_XSD = "http://www.w3.org/2001/XMLSchema"


def wsdl_path(version: str) -> str:
    """Where the WSDL of a version is served."""
    return f"/wsdl/v{version}_0/netsuite.wsdl"


def xsd_path(group: Group, version: str) -> str:
    """Where the XSD of a namespace is served."""
    return f"/xsd/{group.domain}/v{version}_0/{group.file}.xsd"


_PATHS = {wsdl_path(version): (version, "") for version in VERSIONS} | {
    xsd_path(group, version): (version, group.key) for version in VERSIONS for group in GROUPS
}


def document(path: str, base_url: str) -> str | None:
    """The document at a path, linking to the others below `base_url`; None where there is none."""
    found = _PATHS.get(path)
    if found is None:
        return None
    version, key = found
    return _xsd(key, version, base_url) if key else _wsdl(version, base_url)


@lru_cache(maxsize=32)
def _wsdl(version: str, base_url: str) -> str:
    imports = "".join(
        f'<xsd:import namespace="{uri(group.key, version)}" schemaLocation="{base_url}{xsd_path(group, version)}"/>'
        for group in GROUPS
    )
    headers = "".join(f'<part name="{name}" element="m:{name}"/>' for name in (*_HEADERS, "tokenPassport"))
    messages = "".join(
        f'<message name="{name}Request"><part name="parameters" element="m:{name}"/></message>'
        f'<message name="{name}Response"><part name="parameters" element="m:{name}Response"/></message>'
        for name in OPERATIONS
    )
    faults = "".join(
        f'<message name="{_capital(name)}"><part name="fault" element="f:{name}"/></message>' for name in FAULTS
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"'
        f' xmlns:xsd="{_XSD}" xmlns:tns="{platform_uri(version)}" xmlns:m="{uri("messages", version)}"'
        f' xmlns:f="{uri("faults", version)}" targetNamespace="{platform_uri(version)}">'
        f'<types><xsd:schema elementFormDefault="qualified">{imports}</xsd:schema></types>'
        f'<message name="headers">{headers}</message>{messages}{faults}'
        f'<portType name="NetSuitePortType">{"".join(map(_port_operation, OPERATIONS))}</portType>'
        '<binding name="NetSuiteBinding" type="tns:NetSuitePortType">'
        '<soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>'
        f"{''.join(map(_bound_operation, OPERATIONS))}</binding>"
        '<service name="NetSuiteService"><port name="NetSuitePort" binding="tns:NetSuiteBinding">'
        f'<soap:address location="https://webservices.netsuite.com/services/NetSuitePort_{version}"/>'
        "</port></service></definitions>"
    )


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]


def _port_operation(name: str) -> str:
    faults = "".join(f'<fault name="{_capital(fault)}" message="tns:{_capital(fault)}"/>' for fault in FAULTS)
    return (
        f'<operation name="{name}"><input name="{name}Request" message="tns:{name}Request"/>'
        f'<output name="{name}Response" message="tns:{name}Response"/>{faults}</operation>'
    )


def _bound_operation(name: str) -> str:
    parts = ["tokenPassport", "applicationInfo", "partnerInfo"]
    if name in _SEARCHES:
        parts.append("searchPreferences")
    elif name not in _WITHOUT_PREFERENCES:
        parts.append("preferences")
    given = "".join(f'<soap:header message="tns:headers" part="{part}" use="literal"/>' for part in parts)
    # Clients read `response.body`: without an output header zeep leaves that wrapper out (reference 1.2).
    answered = '<soap:header message="tns:headers" part="documentInfo" use="literal"/>'
    faults = "".join(
        f'<fault name="{_capital(fault)}"><soap:fault name="{_capital(fault)}" use="literal"/></fault>'
        for fault in FAULTS
    )
    return (
        f'<operation name="{name}"><soap:operation soapAction="{name}"/>'
        f'<input name="{name}Request">{given}<soap:body use="literal"/></input>'
        f'<output name="{name}Response">{answered}<soap:body use="literal"/></output>{faults}</operation>'
    )


@lru_cache(maxsize=256)
def _xsd(key: str, version: str, base_url: str) -> str:
    shapes = [shape for shape in SHAPES.values() if shape.namespace == key]
    body = "".join(_complex_type(shape) for shape in shapes)
    body += "".join(_simple_type(name, values) for name, values in ENUMERATIONS.get(key, {}).items())
    body += _elements(key)
    needed = {_home(one) for shape in shapes for one in (*shape.own, *shape.own_attributes)}
    needed |= {SHAPES[shape.base].namespace for shape in shapes if shape.base in SHAPES}
    if key == "faults":
        needed.add("types.faults")
    needed -= {key, ""}
    imports = "".join(
        f'<xsd:import namespace="{uri(one, version)}" schemaLocation="{base_url}{xsd_path(BY_KEY[one], version)}"/>'
        for one in sorted(needed, key=[group.key for group in GROUPS].index)
    )
    names = "".join(f' xmlns:{_prefix(one)}="{uri(one, version)}"' for one in sorted({*needed, key}))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><xsd:schema xmlns:xsd="{_XSD}"{names}'
        f' targetNamespace="{uri(key, version)}" elementFormDefault="qualified">{imports}{body}</xsd:schema>'
    )


def _prefix(key: str) -> str:
    return BY_KEY[key].prefix


def _home(one: Field) -> str:
    """The namespace of an element's or attribute's type."""
    if one.kind in SIMPLE:
        return ""
    return SHAPES[one.kind].namespace if one.kind in SHAPES else ENUMERATION_OF[one.kind][0]


def _type(one: Field) -> str:
    return f"xsd:{SIMPLE[one.kind]}" if one.kind in SIMPLE else f"{_prefix(_home(one))}:{one.kind}"


def _element(one: Field) -> str:
    name = f'ref="platformCore:{one.name}"' if one.core else f'name="{one.name}" type="{_type(one)}"'
    least = "" if one.required else ' minOccurs="0"'
    most = ' maxOccurs="unbounded"' if one.many else ""
    return f"<xsd:element {name}{least}{most}/>"


def _attribute(one: Field) -> str:
    use = ' use="required"' if one.required else ""
    default = f' default="{one.default}"' if one.default else ""
    return f'<xsd:attribute name="{one.name}" type="{_type(one)}"{use}{default}/>'


def _complex_type(shape: Shape) -> str:
    attributes = "".join(map(_attribute, shape.own_attributes))
    abstract = ' abstract="true"' if shape.abstract else ""
    head = f'<xsd:complexType name="{shape.name}"{abstract}>'
    if shape.base == "string":
        inner = f'<xsd:simpleContent><xsd:extension base="xsd:string">{attributes}</xsd:extension></xsd:simpleContent>'
        return f"{head}{inner}</xsd:complexType>"
    inner = f"<xsd:sequence>{''.join(map(_element, shape.own))}</xsd:sequence>{attributes}"
    if shape.base:
        base = f"{_prefix(SHAPES[shape.base].namespace)}:{shape.base}"
        inner = f'<xsd:complexContent><xsd:extension base="{base}">{inner}</xsd:extension></xsd:complexContent>'
    return f"{head}{inner}</xsd:complexType>"


def _simple_type(name: str, values: tuple[str, ...]) -> str:
    allowed = "".join(f'<xsd:enumeration value="{value}"/>' for value in values)
    inner = f'<xsd:restriction base="xsd:string">{allowed}</xsd:restriction>'
    return f'<xsd:simpleType name="{name}">{inner}</xsd:simpleType>'


def _elements(key: str) -> str:
    """The elements that stand at the top of a schema."""
    found: dict[str, str] = {}
    if key == "core":
        for shape in SHAPES.values():
            found |= {one.name: f"platformCore:{one.kind}" for one in shape.own if one.core}
        found |= {name: f"platformCore:{_capital(name)}" for name in ("record", "recordRef", "recordList")}
    if key == "messages":
        found = {name: f"platformMsgs:{kind}" for name, kind in _HEADERS.items()}
        found["tokenPassport"] = "platformCore:TokenPassport"
        for name in OPERATIONS:
            found[name] = f"platformMsgs:{_capital(name)}Request"
            found[f"{name}Response"] = f"platformMsgs:{_capital(name)}Response"
    elements = "".join(f'<xsd:element name="{name}" type="{kind}"/>' for name, kind in found.items())
    if key == "faults":
        elements = (
            '<xsd:complexType name="SoapFault"><xsd:sequence>'
            '<xsd:element name="code" type="platformFaultsTyp:FaultCodeType"/>'
            '<xsd:element name="message" type="xsd:string"/></xsd:sequence></xsd:complexType>'
        ) + "".join(f'<xsd:element name="{name}" type="platformFaults:SoapFault"/>' for name in FAULTS)
    return elements
