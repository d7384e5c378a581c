"""What preflight reads: subscriptions, preferences, set-up, entities, formats, closed books (reference 7.2)."""

from html import escape

from lxml import etree

from sandbox.intacct.call_context import Call
from sandbox.intacct.envelope import Result, text_of
from sandbox.intacct.errors import invalid

_APPLICATIONS = ("CO", "GL", "AP", "PO", "CM", "ME", "INV")


def run_get_applications(call: Call, element: etree._Element) -> Result:
    """The subscribed applications."""
    codes = "".join(f"<application>{code}</application>" for code in _APPLICATIONS)
    return Result(data=f"<data>{codes}</data>")


def run_get_companyprefs(call: Call, element: etree._Element) -> Result:
    """The preferences of one application; the ones that are switches here show their present value."""
    application = element.get("application", "")
    switches = call.company.switches
    live = {
        ("ME", "DISABLEENTITYSLIDEIN"): str(not switches.flag("entity_slide")).lower(),
        ("AP", "PAYMENTAPPROVAL"): str(switches.flag("payment_approval")).lower(),
        ("AP", "BILLNUMBERSEQUENCE"): "BILL" if switches.flag("auto_bill_numbers") else "",
    }
    shown = ""
    for record in call.company["COMPANYPREF"].find("APPLICATION", application):
        preference = record["PREFERENCE"]
        value = live.get((application, preference), record["PREFVALUE"])
        shown += (
            f"<companypref><application>{escape(application)}</application>"
            f"<preference>{escape(preference)}</preference><prefvalue>{escape(value)}</prefvalue></companypref>"
        )
    return Result(data=f"<data>{shown}</data>")


def run_get_financial_setup(call: Call, element: etree._Element) -> Result:
    """Base currency (empty where each entity has its own), fiscal year and the multi-entity flags."""
    several = call.company.switches.flag("multi_base_currency")
    base = "" if several else escape(call.company.base_currency)
    inner = (
        f"<baseCurrency>{base}</baseCurrency><defaultBook>ACCRUAL</defaultBook><firstFiscalMonth>1</firstFiscalMonth>"
        f"<multiBaseCurrency>{str(several).lower()}</multiBaseCurrency><multiBook>false</multiBook>"
        "<multiCurrency>true</multiCurrency><multiEntityShared>true</multiEntityShared>"
    )
    return Result(data=f"<data><financialSetup>{inner}</financialSetup></data>")


def run_read_entity_details(call: Call, element: etree._Element) -> Result:
    """The legal entities; from inside one, that one."""
    shown = ""
    entities = call.company["LOCATIONENTITY"]
    count = 0
    for record in entities.rows.values():
        if call.session.entity not in ("", record["LOCATIONID"]):
            continue
        count += 1
        shown += (
            f"<entity><id>{escape(record['LOCATIONID'])}</id><name>{escape(record['NAME'])}</name>"
            f"<recordno>{record['RECORDNO']}</recordno><currency>{escape(record['CURRENCY'])}</currency>"
            "<firstfiscalmonth>1</firstfiscalmonth></entity>"
        )
    return Result(data=f'<data listtype="entity" count="{count}">{shown}</data>')


def run_read_user_formatting(call: Call, element: etree._Element) -> Result:
    """How this user's dates and times are written.

    Raises:
        FunctionError: there is no such user.
    """
    user = text_of(element, "userId") or call.session.user
    key = text_of(element, "key")
    known = call.company["USERINFO"].get(key) if key else call.company["USERINFO"].first("LOGINID", user)
    if known is None:
        raise invalid(f"The user {key or user} does not exist.")
    offset = int(call.company.switches.number("utc_offset_minutes"))
    sign = "-" if offset < 0 else "+"
    hours = f"{sign}{abs(offset) // 60:02d}:{abs(offset) % 60:02d}"
    inner = (
        f"<recordno>{known['RECORDNO']}</recordno><locale>en_US</locale>"
        f"<dateformat>/mdY</dateformat><gmtoffset>{hours}</gmtoffset><clock>24</clock>"
    )
    return Result(data=f'<data listtype="userformatting" count="1"><userformatting>{inner}</userformatting></data>')


def run_get_user_permissions(call: Call, element: etree._Element) -> Result:
    """What the role of the web services user allows."""
    shown = ""
    for application, policy in (("Accounts Payable", "Bills"), ("Purchasing", "Purchasing transactions")):
        shown += (
            f"<appSubscription><applicationName>{application}</applicationName><policies><policy>"
            f"<policyName>{policy}</policyName><rights>List|View|Add|Edit|Delete</rights></policy></policies>"
            "</appSubscription>"
        )
    return Result(data=f"<data><permissions>{shown}</permissions></data>")


def run_get_closedbooksdate(call: Call, element: etree._Element) -> Result:
    """The last closed day of the session's level, empty when none is."""
    closed = call.company.closed_through
    days = [closed[key] for key in {"", call.session.entity} if key in closed]
    inner = ""
    if days:
        last = max(days)
        inner = f"<year>{last.year}</year><month>{last.month}</month><day>{last.day}</day>"
    return Result(data=f"<data><closedbooksdate>{inner}</closedbooksdate></data>")
