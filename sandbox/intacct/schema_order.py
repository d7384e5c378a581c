"""The strict element order of legacy functions, and which functions exist (reference 1.2, 3.2 to 3.7).

A sequence is written as words in schema order: `!` required, `*` repeatable, plain optional.
"""

from lxml import etree

from sandbox.intacct.errors import schema_violation

_CURRENCY = "basecurr currency exchratedate exchratetype exchrate"
_PO_HEADER_TAIL = (
    f"referenceno vendordocno termname datedue message shippingmethod %s supdocid externalid {_CURRENCY} customfields"
    " state needbydate projectid changelognumber donotshipbeforedate donotshipafterdate promiseddate contractstartdate"
    " contractenddate cancelafterdate"
)
_CONSTRUCTION = (
    " scope inclusions exclusions terms scheduletostart actualstart scheduledcompletion revisedcompletion"
    " substantialcompletion actualcompletion noticetoproceed responsedue executedon scheduleimpact"
)
_DIMENSIONS = "projectid taskid costtypeid customerid vendorid employeeid classid contractid"
_PO_LINE = (
    "itemid%s itemdesc itemaliasid taxable warehouseid quantity%s unit linelevelsimpletaxtype price sourcelinekey"
    " overridetaxamount deliverto tax locationid departmentid memo itemdetails form1099 form1099type form1099box"
    f" customfields {_DIMENSIONS} billable allocationid needbydate donotshipbeforedate donotshipafterdate promiseddate"
    " dateconfirmed cancelafterdate dateshiptosupplier relateddockey relateddoclinekey retainagepercentage"
    " trx_amountretained conversiontype partialexempt reverseconversion paymenttaxcapture linesubtotals taxscheduleid"
    " sourcedocid sourcedoclineid"
)
_BILL_LINE = (
    "accountlabel glaccountno offsetglaccountno amount! allocationid memo locationid departmentid item1099 form1099type"
    " form1099box key totalpaid totaldue customfields projectid taskid costtypeid customerid vendorid employeeid itemid"
    " classid contractid warehouseid billable taxentries"
)

_VENDOR = (
    "%s parentid termname glaccountno accountlabel vendtype taxid taxsolutionid taxschedule creditlimit"
    " retainagepercentage paymethod outsourcecheck outsourceach billingtype vendoraccountno displocacctnocheck onhold"
    " donotcutcheck comments status currency onetime externalid primary returnto payto contactinfo contactto1099"
    " contactlist name1099 form1099type form1099box customfields paymentnotify achenabled wireenabled checkenabled"
    " achbankroutingnumber achaccountnumber achaccounttype achremittancetype wirebankname wirebankroutingnumber"
    " wireaccountnumber wireaccounttype pmplusremittancetype pmplusemail pmplusfax displaytermdiscount visibility"
    " supdocid mergepaymentreq offsetglaccountno"
)

LEGACY: dict[str, str] = {
    "create_potransaction": "transactiontype! datecreated! dateposted createdfrom vendorid! documentno "
    + _PO_HEADER_TAIL % "returnto! payto! deliverto"
    + " taxsolutionid potransitems! subtotals"
    + _CONSTRUCTION,
    "update_potransaction": "datecreated dateposted "
    + _PO_HEADER_TAIL % "returnto payto deliverto"
    + " updatepotransitems updatesubtotals"
    + _CONSTRUCTION,
    "partialupdate_potransaction": "dateposted!",
    "delete_potransaction": "",
    "create_bill": "vendorid! datecreated! dateposted datedue termname action batchkey billno ponumber onhold"
    f" description externalid payto returnto {_CURRENCY} nogl supdocid customfields inclusivetax taxsolutionid"
    " billitems!",
    "update_bill": "vendorid datecreated dateposted datedue termname action billno ponumber onhold description"
    f" payto returnto {_CURRENCY} supdocid customfields updatebillitems inclusivetax taxsolutionid",
    "delete_bill": "",
    "create_vendor": _VENDOR % "vendorid name!",
    "update_vendor": _VENDOR % "name",
    "delete_vendor": "",
    "delete_contact": "",
    "get_list": "filter sorts fields additional_parameters",
    "get": "fields",
    "getDimensions": "",
    "reverse_bill": "datereversed! description",
    "create_apadjustment": "vendorid! datecreated! dateposted batchkey adjustmentno action billno description"
    f" externalid {_CURRENCY} nogl customfields inclusivetax taxsolutionid apadjustmentitems!",
    "delete_apadjustment": "",
    "create_paymentrequest": "bankaccountid chargecardid vendorid! memo paymentmethod! grouppayments paymentdate!"
    " paymentoption paymentrequestitems paymentamount documentnumber paymentdescription paymentcontact",
    "void_appaymentrequest": "appaymentkeys!",
    "delete_paymentrequest": "",
    "reverse_appayment": "datereversed! description",
    "get_companyprefs": "",
    "get_applications": "",
    "get_closedbooksdate": "",
    "getFinancialSetup": "",
    "readEntityDetails": "",
}

_SUBTOTAL = (
    "description! total! absval percentval locationid departmentid projectid taskid costtypeid customerid vendorid"
    " employeeid classid itemid contractid customfields"
)

_CHILDREN: dict[str, tuple[tuple[str, str], ...]] = {
    # function: (path to a repeated part, its sequence)
    "create_potransaction": (
        ("potransitems", "potransitem*"),
        ("potransitems/potransitem", _PO_LINE % ("!", "!")),
        ("subtotals", "subtotal*"),
        ("subtotals/subtotal", _SUBTOTAL),
        ("customfields", "customfield*"),
        ("datecreated", "year! month! day!"),
        ("datedue", "year! month! day!"),
        ("dateposted", "year! month! day!"),
    ),
    "update_potransaction": (
        ("updatepotransitems/updatepotransitem", _PO_LINE % ("", "")),
        ("updatepotransitems/potransitem", _PO_LINE % ("!", "!")),
        ("datecreated", "year! month! day!"),
        ("datedue", "year! month! day!"),
        ("dateposted", "year! month! day!"),
    ),
    "create_bill": (
        ("billitems", "lineitem*"),
        ("billitems/lineitem", _BILL_LINE),
        ("datecreated", "year! month! day!"),
        ("datedue", "year! month! day!"),
    ),
    "update_bill": (
        ("updatebillitems/updatelineitem", _BILL_LINE.replace("amount!", "amount")),
        ("updatebillitems/lineitem", _BILL_LINE),
        ("datecreated", "year! month! day!"),
        ("datedue", "year! month! day!"),
        ("dateposted", "year! month! day!"),
    ),
    "create_apadjustment": (
        ("apadjustmentitems", "lineitem*"),
        ("apadjustmentitems/lineitem", _BILL_LINE),
        ("datecreated", "year! month! day!"),
    ),
    "create_paymentrequest": (
        ("paymentdate", "year! month! day!"),
        ("paymentrequestitems", "paymentrequestitem*"),
        ("paymentrequestitems/paymentrequestitem", "key! paymentamount! credittoapply discounttoapply"),
    ),
    "reverse_bill": (("datereversed", "year! month! day!"),),
    "reverse_appayment": (("datereversed", "year! month! day!"),),
}

GENERIC = frozenset(
    [
        "create",
        "update",
        "delete",
        "approve",
        "decline",
        "getAPISession",
        "query",
        "readByQuery",
        "readMore",
        "read",
        "readByName",
        "lookup",
        "inspect",
        "readUserFormatting",
        "getUserPermissions",
        "getApprovalHistory",
    ]
)
"""Functions whose children may come in any order."""

_KNOWN: dict[str, frozenset[str]] = {
    "query": frozenset(["object", "docparid", "select", "filter", "orderby", "options", "pagesize", "offset"]),
    "readByQuery": frozenset(["object", "fields", "query", "pagesize", "docparid", "returnFormat"]),
    "readMore": frozenset(["resultId", "object", "view", "reportId"]),
    "read": frozenset(["object", "keys", "fields", "docparid", "returnFormat"]),
    "readByName": frozenset(["object", "keys", "fields", "docparid", "returnFormat"]),
    "lookup": frozenset(["object", "docparid"]),
    "inspect": frozenset(["object", "name"]),
    "delete": frozenset(["object", "keys"]),
    "getAPISession": frozenset(["locationid"]),
}


def check_function(element: etree._Element) -> None:
    """Raises ControlError for an unknown function or one whose children break the schema."""
    name = str(element.tag)
    if name in LEGACY:
        check_sequence(element, LEGACY[name])
        for path, sequence in _CHILDREN.get(name, ()):
            for part in element.findall(path):
                # Clients send an empty optional date for "none"; only a date that begins must be whole.
                if len(part) or part.tag not in ("datedue", "dateposted"):
                    check_sequence(part, sequence)
        _check_currency(element)
        if name == "create_potransaction" and element.find("potransitems/potransitem") is None:
            raise schema_violation("Element 'potransitems' must hold at least one 'potransitem'.")
        return
    if name not in GENERIC:
        raise schema_violation(f"Element '{name}' is not a known function.")
    known = _KNOWN.get(name)
    if known is not None:
        for child in element:
            if child.tag not in known:
                raise schema_violation(f"Element '{child.tag!s}' is not expected in '{name}'.")


def _check_currency(element: etree._Element) -> None:
    group = [str(child.tag) for child in element if child.tag in _CURRENCY.split()]
    if group and "currency" not in group:
        raise schema_violation(f"Element '{group[0]}' of '{element.tag!s}' needs 'currency' before it.")
    if "exchrate" in group and "exchratetype" in group:
        raise schema_violation(f"'{element.tag!s}' may hold exchratetype or exchrate, not both.")


_SEQUENCES: dict[str, dict[str, tuple[int, bool]]] = {}
_REQUIRED: dict[str, tuple[str, ...]] = {}


def check_sequence(element: etree._Element, sequence: str) -> None:
    """Raises ControlError when a child is unknown, out of order, repeated, or a required one is missing."""
    places = _SEQUENCES.get(sequence)
    if places is None:
        words = sequence.split()
        places = {word.rstrip("!*"): (at, word.endswith("*")) for at, word in enumerate(words)}
        _SEQUENCES[sequence] = places
        _REQUIRED[sequence] = tuple(word[:-1] for word in words if word.endswith("!"))
    last = -1
    seen: set[str] = set()
    for child in element:
        name = str(child.tag)
        place = places.get(name)
        if place is None:
            raise schema_violation(f"Element '{name}' is not expected in '{element.tag!s}'.")
        at, repeatable = place
        if at < last or (name in seen and not repeatable):
            raise schema_violation(f"Element '{name}' of '{element.tag!s}' is out of order or repeated.")
        last = at
        seen.add(name)
    for name in _REQUIRED[sequence]:
        if name not in seen:
            raise schema_violation(f"Element '{element.tag!s}' lacks its required child '{name}'.")
