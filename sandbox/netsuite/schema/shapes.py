"""Reads the notation of the type modules into shapes.

    PurchaseOrder[internalId:s externalId:s] < Record: createdDate:t lastModifiedDate:t ...

A line is a type's name, its attributes in brackets, its base, its elements in order; what follows it is indented. `~`
marks an abstract type, `*` an element that repeats, `!` one that must be there, `@` one in the core namespace, `=`
gives a default. Kinds: s string, b boolean, d double, t dateTime, l long, i int, R RecordRef, RL RecordRefList, CF
CustomFieldList, two letters for criteria (qs, qb, ...) and columns (cs, cb, ...), else a type's or enumeration's name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from sandbox.netsuite.schema import journals, lists, platform, purchases, record_names, searches
from sandbox.netsuite.schema.namespaces import BY_KEY

TEXTS: Mapping[str, str] = {
    "core": platform.CORE,
    "messages": platform.MESSAGES,
    "common": searches.COMMON,
    "sales": searches.SALES + purchases.FULFILMENTS.lstrip(),
    "purchases": purchases.PURCHASES,
    "relationships": lists.RELATIONSHIPS,
    "employees@lists": lists.EMPLOYEES,
    "accounting": lists.ACCOUNTING,
    "general": journals.GENERAL,
}
SIMPLE = {"s": "string", "b": "boolean", "d": "double", "t": "dateTime", "l": "long", "i": "int"}
_SHORT = {
    "R": "RecordRef",
    "RL": "RecordRefList",
    "CF": "CustomFieldList",
    "qs": "SearchStringField",
    "qb": "SearchBooleanField",
    "ql": "SearchLongField",
    "qd": "SearchDoubleField",
    "qn": "SearchTextNumberField",
    "qt": "SearchDateField",
    "qm": "SearchMultiSelectField",
    "qe": "SearchEnumMultiSelectField",
    "cs": "SearchColumnStringField",
    "cb": "SearchColumnBooleanField",
    "cl": "SearchColumnLongField",
    "cd": "SearchColumnDoubleField",
    "cn": "SearchColumnTextNumberField",
    "ct": "SearchColumnDateField",
    "cm": "SearchColumnSelectField",
    "ce": "SearchColumnEnumSelectField",
}
_COMPARISONS = (
    "between empty equalTo greaterThan greaterThanOrEqualTo lessThan lessThanOrEqualTo notBetween notEmpty notEqualTo"
    " notGreaterThan notGreaterThanOrEqualTo notLessThan notLessThanOrEqualTo"
)
_DATES = (
    "after before empty notAfter notBefore notEmpty notOn notOnOrAfter notOnOrBefore notWithin on onOrAfter onOrBefore"
    " within"
)

# Enumerations by namespace; an empty one takes any text here (the real one is long and means nothing to this sandbox).
_ENUMERATIONS: Mapping[str, Mapping[str, str]] = {
    "types.core": {
        "RecordType": record_names.RECORD_TYPES,
        "GetAllRecordType": record_names.GET_ALL_TYPES,
        "InitializeType": record_names.INITIALIZE_TYPES,
        "InitializeRefType": record_names.INITIALIZE_SOURCES,
        "InitializeAuxRefType": "apAccount arAccount itemFulfillment shippingGroup tranType",
        "GetIntegrationGovernanceInfoLimitType": "_account _integrationSpecific _internal",
        "SearchStringFieldOperator": "contains doesNotContain doesNotStartWith empty hasKeywords is isNot notEmpty"
        " startsWith",
        "SearchLongFieldOperator": _COMPARISONS,
        "SearchDoubleFieldOperator": _COMPARISONS,
        "SearchTextNumberFieldOperator": _COMPARISONS,
        "SearchDate": "",
        "SearchDateFieldOperator": _DATES,
        "SearchMultiSelectFieldOperator": "anyOf noneOf",
        "SearchEnumMultiSelectFieldOperator": "anyOf noneOf",
    },
    "types.faults": {"StatusDetailCodeType": "", "StatusDetailType": "ERROR WARN INFO", "FaultCodeType": ""},
    "types.common": {
        "Country": "",
        "IntercoStatus": "_paired _pending _rejected",
        "TransactionBillVarianceStatus": "_journalNotPosted _journalPosted _noVariances",
        "LandedCostMethod": "",
        "GlobalSubscriptionStatus": "",
        "TermRecurrenceFrequency": "",
        "CurrencySymbolPlacement": "",
    },
    "types.purchases": {
        "PurchaseOrderOrderStatus": "_closed _fullyBilled _partiallyReceived _pendingBillingPartiallyReceived"
        " _pendingBilling _pendingReceipt _pendingSupervisorApproval _rejectedBySupervisor",
        "VendorReturnAuthorizationOrderStatus": "_cancelled _closed _credited _partiallyReturned _pendingApproval"
        " _pendingCredit _pendingCreditPartiallyReturned _pendingReturn _undefined",
    },
    "types.sales": {"ItemFulfillmentShipStatus": "_packed _picked _shipped"},
    "types.relationships": {"EmailPreference": ""},
    "types.accounting": {
        "AccountType": "_accountsPayable _accountsReceivable _bank _costOfGoodsSold _creditCard _deferredExpense"
        " _deferredRevenue _equity _expense _fixedAsset _income _longTermLiability _nonPosting _otherAsset"
        " _otherCurrentAsset _otherCurrentLiability _otherExpense _otherIncome _statistical _unbilledReceivable",
        "ConsolidatedRate": "",
        "LocationType": "",
        "LocationTimeZone": "",
        "LocationGeolocationMethod": "",
        "LocationAutoAssignmentRegionSetting": "",
        "CurrencyLocale": "",
        "CurrencyFxRateUpdateTimezone": "",
        "CurrencyCurrencyPrecision": "",
        "ItemCostingMethod": "",
    },
}
ENUMERATIONS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    key: {name: tuple(values.split()) for name, values in group.items()} for key, group in _ENUMERATIONS.items()
}
ENUMERATION_OF = {name: (key, values) for key, group in ENUMERATIONS.items() for name, values in group.items()}


@dataclass(frozen=True)
class Field:
    """One element, or one attribute. `kind` is a letter of SIMPLE, an enumeration's name, or a shape's."""

    name: str
    kind: str
    many: bool = False
    required: bool = False
    core: bool = False
    default: str = ""


@dataclass
class Shape:
    """One complex type with everything its bases give it."""

    name: str
    namespace: str
    base: str
    abstract: bool
    own: tuple[Field, ...]
    own_attributes: tuple[Field, ...]
    ancestors: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    attributes: tuple[Field, ...] = ()
    """In schema order, the base's first."""

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """The elements by name."""
        return {one.name: one for one in self.fields}

    @cached_property
    def list_of(self) -> Field | None:
        """The repeated element of a type that is nothing but a list."""
        return self.fields[0] if len(self.fields) == 1 and self.fields[0].many else None

    @cached_property
    def places(self) -> dict[tuple[str, str], tuple[int, Field]]:
        """Position and field of each element by namespace key and name."""
        return {(self.namespace_of(one), one.name): (at, one) for at, one in enumerate(self.fields)}

    @cached_property
    def tagged(self) -> tuple[tuple[str, Field], ...]:
        """Each element with its prefixed tag."""
        return tuple((f"{BY_KEY[self.namespace_of(one)].prefix}:{one.name}", one) for one in self.fields)

    def namespace_of(self, one: Field) -> str:
        """The key of the namespace an element of this type is in: the one of the type that declares it."""
        if one.core:
            return "core"
        if one in self.own:
            return self.namespace
        return SHAPES[self.base].namespace_of(one)

    def is_a(self, name: str) -> bool:
        """Whether it is this type or derived from it."""
        return self.name == name or name in self.ancestors


_HEAD = re.compile(r"(~?)(\w+)(?:\[([^\]]*)\])?(?: < (\w+))?:(.*)", re.S)


def _field(word: str) -> Field:
    name, _, kind = word.partition(":")
    kind, _, default = kind.partition("=")
    required = name.endswith("!") or kind.endswith("!")
    name, kind = name.rstrip("!"), kind.rstrip("!")
    many = name.endswith("*")
    name = name.rstrip("*")
    return Field(name.lstrip("@"), _SHORT.get(kind, kind), many, required, name.startswith("@"), default)


def _read() -> dict[str, Shape]:
    shapes: dict[str, Shape] = {}
    for namespace, text in TEXTS.items():
        for line in re.sub(r"\n +", " ", text).strip().splitlines():
            found = _HEAD.fullmatch(line)
            assert found is not None, line
            mark, name, attributes, base, elements = found.groups()
            own = tuple(_field(word) for word in elements.split())
            given = tuple(_field(word) for word in (attributes or "").split())
            shapes[name] = Shape(name, namespace, base or "", mark == "~", own, given)
    for shape in shapes.values():
        chain = []
        at = shape
        while at.base in shapes:
            at = shapes[at.base]
            chain.append(at)
        shape.ancestors = tuple(one.name for one in chain)
        family = [*reversed(chain), shape]
        shape.fields = tuple(one for member in family for one in member.own)
        shape.attributes = tuple(one for member in family for one in member.own_attributes)
    return shapes


SHAPES: Mapping[str, Shape] = _read()
OPERATIONS = tuple(
    name[0].lower() + name[1:].removesuffix("Request")
    for name, shape in SHAPES.items()
    if shape.namespace == "messages" and name.endswith("Request")
)
"""`add`, `addList`, ...: what can be called."""
