"""What the real gateway was recorded to read and answer, and the pretend one did not (issue 10, E1 to E6)."""

import httpx
import pytest
from lxml import etree

from sandbox.intacct.objects import MASTERS, OBJECTS
from tests.unit.sandbox.wire import Wire, control, is_, login, query

APPS = "<get_applications/>"
CLIENT_FIELDS = {
    # What common clients select when nobody says which fields.
    "VENDOR": "RECORDNO NAME VENDORID PARENTKEY PARENTID PARENTNAME DISPLAYCONTACT.CONTACTNAME DISPLAYCONTACT.PRINTAS"
    " DISPLAYCONTACT.COMPANYNAME DISPLAYCONTACT.FIRSTNAME DISPLAYCONTACT.LASTNAME DISPLAYCONTACT.INITIAL"
    " DISPLAYCONTACT.PHONE1 DISPLAYCONTACT.PHONE2 DISPLAYCONTACT.EMAIL1 DISPLAYCONTACT.EMAIL2 VENDORACCOUNTNO VENDTYPE"
    " ACCOUNTLABEL APACCOUNT APACCOUNTTITLE STATUS WHENMODIFIED RECORD_URL",
    "GLACCOUNT": "RECORDNO ACCOUNTNO TITLE ACCOUNTTYPE NORMALBALANCE CLOSINGTYPE STATUS CATEGORY ALTERNATIVEACCOUNT",
    "ITEM": "RECORDNO ITEMID STATUS MRR NAME EXTENDED_DESCRIPTION PRODUCTLINEID GLGROUP ITEMTYPE",
    "DEPARTMENT": "RECORDNO DEPARTMENTID TITLE PARENTKEY PARENTID SUPERVISORNAME STATUS CUSTTITLE",
    "LOCATION": "RECORDNO LOCATIONID NAME PARENTKEY PARENTID STATUS CURRENCY",
    "CLASS": "RECORDNO CLASSID NAME PARENTKEY PARENTID DESCRIPTION STATUS RECORD_URL",
    "CHECKINGACCOUNT": "BANKACCOUNTID BANKACCOUNTNO GLACCOUNTNO BANKNAME ROUTINGNO BRANCHID BANKACCOUNTTYPE STATUS"
    " DEPARTMENTID LOCATIONID RECORDNO ACHBANKID COMPANYNAME",
    "LOCATIONENTITY": "RECORDNO LOCATIONID NAME REPORTPRINTAS SUPERVISORID FIRSTMONTH FIRSTMONTHTAX WEEKSTART STATUS"
    " FEDERALID STARTDATE ENDDATE HAS_IE_RELATION CUSTOMERID CUSTOMERNAME VENDORID VENDORNAME CURRENCY TAXID"
    " ENABLELEGALCONTACT LEGALNAME LEGALADDRESS1 LEGALADDRESS2 LEGALCITY LEGALSTATE LEGALZIPCODE LEGALCOUNTRY"
    " OPCOUNTRY ADDRESSCOUNTRYDEFAULT RECORD_URL",
    "CONTACT": "RECORDNO CONTACTNAME COMPANYNAME FIRSTNAME LASTNAME INITIAL PRINTAS TAXABLE MAILADDRESS.ADDRESS1",
    "CUSTOMER": "RECORDNO CUSTOMERID NAME ENTITY PARENTKEY PARENTID PARENTNAME CUSTREPNAME TOTALDUE GLGRPKEY GLGROUP"
    " STATUS ONETIME ONHOLD WHENCREATED CREATEDBY MODIFIEDBY OBJECTRESTRICTION",
    "PROJECT": "RECORDNO PROJECTID NAME DESCRIPTION CURRENCY PROJECTCATEGORY PROJECTSTATUS PARENTKEY PARENTID"
    " PARENTNAME STATUS CUSTOMERKEY CUSTOMERID CUSTOMERNAME PROJECTTYPE DEPARTMENTNAME LOCATIONID LOCATIONNAME BUDGETID"
    " MEGAENTITYID MEGAENTITYNAME",
    "EMPLOYEE": "RECORDNO EMPLOYEEID SSN TITLE LOCATIONID DEPARTMENTID BIRTHDATE STARTDATE ENDDATE STATUS EMPLOYEETYPE"
    " EMPLOYEETYPE1099TYPE GENDER TERMINATIONTYPE CONTACT.CONTACTNAME CONTACT.PREFIX CONTACT.FIRSTNAME CONTACT.INITIAL"
    " CONTACT.PAGER CONTACT.FAX CONTACT.URL1 CONTACT.MAILADDRESS.ADDRESS2 CONTACT.MAILADDRESS.COUNTRYCODE CURRENCY"
    " WHENCREATED PAYMETHODKEY CONTACTKEY MEGAENTITYKEY",
    "TASK": "RECORDNO TASKID PARENTKEY PARENTID NAME PARENTTASKNAME PROJECTKEY PROJECTID PROJECTNAME ITEMKEY ITEMID"
    " ITEMNAME DESCRIPTION BILLABLE TASKNO TASKSTATUS CLASSID CLASSNAME CLASSKEY ROOTPARENTKEY ROOTPARENTID"
    " ROOTPARENTNAME",
    "CREDITCARD": "RECORDNO CARDID DESCRIPTION CARDTYPE EXP_MONTH EXP_YEAR COMMCARD STATUS VENDORID DEPT LOCATION"
    " LIABILITYTYPE OUTSOURCECARD",
    "APBILL": "RECORDNO RECORDID RECORD_URL STATE VENDORID VENDORNAME DOCNUMBER TERMNAME WHENCREATED WHENPOSTED"
    " TOTALENTERED TOTALSELECTED TOTALPAID TOTALDUE WHENDUE WHENPAID RECPAYMENTDATE PAYMENTPRIORITY DESCRIPTION ONHOLD"
    " BASECURR CURRENCY WHENMODIFIED DUE_IN_DAYS PRBATCH",
}


async def make(wire: Wire, name: str, fields: str) -> str:
    """A master at the top level; answers its record number."""
    reply = await wire.ask(f"<create><{name}>{fields}</{name}></create>", auth=login(None))
    assert reply.status == "success", reply.reasons
    return reply.data[0].findtext("RECORDNO") or ""


@pytest.mark.parametrize("name", CLIENT_FIELDS)
async def test_the_fields_that_clients_read_by_default_can_be_read(wire: Wire, name: str) -> None:
    """E1: a client reads all default fields of a dimension, and stops when one is refused."""
    await wire.order()
    reply = await wire.ask(query(name, CLIENT_FIELDS[name]))
    assert reply.status == "success", reply.reasons
    assert all(list(row) == CLIENT_FIELDS[name].split() for row in reply.rows)


@pytest.mark.parametrize("name", sorted(OBJECTS))
async def test_everything_that_lookup_names_can_be_read_by_every_reader(wire: Wire, name: str) -> None:
    """E1: a client builds its select from `lookup` (reference, checklist 14)."""
    await wire.order()
    shown = await wire.ask(f"<lookup><object>{name}</object></lookup>")
    fields = [field.text or "" for field in shown.data.iterfind("Type/Fields/Field/ID")]
    assert (await wire.ask(query(name, " ".join(fields), order=fields[0]))).status == "success"
    by_query = f"<readByQuery><object>{name}</object><fields>*</fields><query/><pagesize>9</pagesize></readByQuery>"
    assert (await wire.ask(by_query)).status == "success"


async def test_what_follows_from_another_record_is_shown_filtered_sorted_and_grouped(wire: Wire) -> None:
    """E1: PARENTKEY, PARENTNAME and APACCOUNTTITLE say what the parent and the account say, also after they change."""
    await make(wire, "GLACCOUNT", "<ACCOUNTNO>2100</ACCOUNTNO><TITLE>Payables EU</TITLE>")
    top = await make(wire, "VENDOR", "<VENDORID>P</VENDORID><NAME>Parent</NAME>")
    child = "<VENDORID>C</VENDORID><NAME>Child</NAME><PARENTID>P</PARENTID><APACCOUNT>2100</APACCOUNT>"
    await make(wire, "VENDOR", child)
    fields = "VENDORID PARENTKEY PARENTNAME APACCOUNTTITLE"
    wanted = {"VENDORID": "C", "PARENTKEY": top, "PARENTNAME": "Parent", "APACCOUNTTITLE": "Payables EU"}
    for filter_ in (is_("PARENTNAME", "Parent"), is_("PARENTKEY", top), is_("APACCOUNTTITLE", "Pay%", "like")):
        assert (await wire.ask(query("VENDOR", fields, filter_))).rows == [wanted], filter_
    await wire.ask("<update><VENDOR><VENDORID>P</VENDORID><NAME>Renamed</NAME></VENDOR></update>", auth=login(None))
    listed = await wire.ask(query("VENDOR", "VENDORID PARENTNAME", order="PARENTNAME"))
    assert [row["VENDORID"] for row in listed.rows] == ["P", "C"]
    assert listed.rows[1]["PARENTNAME"] == "Renamed"
    counted = "<query><object>VENDOR</object><select><field>PARENTNAME</field><count>RECORDNO</count></select></query>"
    assert {"PARENTNAME": "Renamed", "COUNT.RECORDNO": "1"} in (await wire.ask(counted)).rows
    read = await wire.ask("<readByName><object>VENDOR</object><keys>C</keys><fields>*</fields></readByName>")
    assert read.data.findtext("VENDOR/PARENTNAME") == "Renamed"


async def test_a_filter_on_a_related_field_finds_what_it_says(wire: Wire) -> None:
    """E1: VENDOR.NAME of an order could be selected, but a filter on it matched nothing."""
    await wire.order("PO-1")
    [vendor] = (await wire.ask(query("VENDOR", "VENDORID NAME"))).rows
    found = await wire.ask(query("PODOCUMENT", "DOCNO VENDOR.NAME", is_("VENDOR.NAME", vendor["NAME"])))
    assert found.rows == [{"DOCNO": "PO-1", "VENDOR.NAME": vendor["NAME"]}]
    as_json = query("PODOCUMENT", "DOCNO VENDOR.NAME").replace(
        "</options>", "<returnformat>json</returnformat></options>"
    )
    body = (
        f"<request>{control()}<operation><authentication>{login()}</authentication><content>"
        f'<function controlid="1">{as_json}</function></content></operation></request>'
    )
    assert (await wire.post(body)).json() == [{"DOCNO": "PO-1", "VENDOR.NAME": vendor["NAME"]}]


async def test_nobody_writes_what_intacct_works_out(wire: Wire) -> None:
    """E1: a client that sends back all it has read changes nothing by it."""
    await make(wire, "VENDOR", "<VENDORID>V</VENDORID><NAME>N</NAME><PARENTNAME>made up</PARENTNAME>")
    rows = (await wire.ask(query("VENDOR", "PARENTNAME PARENTKEY"))).rows
    assert rows == [{"PARENTNAME": "", "PARENTKEY": ""}]


async def test_an_employee_shows_its_contact(wire: Wire) -> None:
    """E1: EMPLOYEE has the fields of the contact it names."""
    contact = "<CONTACTNAME>Ann</CONTACTNAME><PRINTAS>Ann A</PRINTAS><EMAIL1>a@a.test</EMAIL1>"
    number = await make(wire, "CONTACT", contact)
    await make(
        wire, "EMPLOYEE", "<EMPLOYEEID>E1</EMPLOYEEID><PERSONALINFO><CONTACTNAME>Ann</CONTACTNAME></PERSONALINFO>"
    )
    rows = (await wire.ask(query("EMPLOYEE", "CONTACT.EMAIL1 CONTACT.PRINTAS CONTACTKEY"))).rows
    assert rows == [{"CONTACT.EMAIL1": "a@a.test", "CONTACT.PRINTAS": "Ann A", "CONTACTKEY": number}]


async def test_the_user_can_be_found_and_its_formats_read_by_key(wire: Wire) -> None:
    """E1: a connector finds its user in USERINFO, then reads its formats by record number."""
    user = await wire.ask(
        "<readByName><object>USERINFO</object><keys>xml_gateway</keys><fields>RECORDNO</fields></readByName>"
    )
    number = user.data.findtext("USERINFO/RECORDNO")
    formats = await wire.ask(f"<readUserFormatting><key>{number}</key></readUserFormatting>")
    shown = {str(field.tag): field.text for field in formats.data[0]}
    assert shown == {
        "recordno": number,
        "locale": "en_US",
        "dateformat": "/mdY",
        "gmtoffset": "+00:00",
        "clock": "24",
    }
    missing = await wire.ask("<readUserFormatting><key>999</key></readUserFormatting>")
    assert missing.status == "failure"


@pytest.mark.parametrize("wrong", [("sandbox-sender", "nope"), (">posync<", ">stranger<")])
async def test_a_wrong_sender_is_a_control_failure_that_names_the_partner_id(
    wire: Wire, wrong: tuple[str, str]
) -> None:
    """E2: HTTP 200, the control block whole, nothing executed."""
    reply = await wire.ask(APPS, head=control().replace(*wrong))
    assert reply.http.status_code == 200
    assert (reply.text("control/status"), reply.text("control/controlid")) == ("failure", "t 1")
    assert reply.errors == ["XL03000006"]
    assert reply.reasons.startswith("Incorrect Intacct XML Partner ID or password.")
    assert reply.root.find("operation") is None


async def test_a_wrong_sender_is_a_401_where_the_switch_says_so(wire: Wire) -> None:
    """E2: other years' recordings show HTTP 401 with XMLGW_JPP0002."""
    await wire.switch(wrong_sender="http_401")
    reply = await wire.ask(APPS, head=control().replace("sandbox-sender", "nope"))
    assert (reply.http.status_code, reply.errors) == (401, ["XMLGW_JPP0002"])
    assert reply.root.findtext("errormessage/error/description", "").startswith("Sign-in information is incorrect.")


async def test_a_wrong_company_is_a_failed_sign_in_or_an_invalid_request(wire: Wire) -> None:
    """E2: sources differ for a company id that does not exist."""
    stranger = login(company="OTHER")
    reply = await wire.ask(APPS, auth=stranger)
    assert reply.reasons.startswith("Sign-in information is incorrect")
    await wire.switch(unknown_company="invalid_request")
    reply = await wire.ask(APPS, auth=stranger)
    assert (reply.http.status_code, reply.errors) == (400, ["invalidRequest"])
    assert (await wire.ask(APPS)).status == "success"


@pytest.mark.parametrize("body", [None, "", "<request/>", "<request><control/><operation/></request>"])
async def test_a_request_without_credentials_is_a_401(wire: Wire, body: str | None) -> None:
    """E3: a control that holds only `status`, the text in `description`."""
    answer: httpx.Response
    if body is None:
        answer = await wire.http.get("/ia/xml/xmlgw.phtml")
    else:
        answer = await wire.post(body)
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/xml")
    root = etree.fromstring(answer.content)
    assert [str(child.tag) for child in root] == ["control", "errormessage"]
    assert [(str(child.tag), child.text) for child in root[0]] == [("status", "failure")]
    assert [(str(child.tag), child.text) for child in root[1][0]] == [
        ("errorno", "XMLGW_JPP0002"),
        ("description", "Sign-in information is incorrect. Please check your request."),
    ]


@pytest.mark.parametrize(
    "function",
    [
        query("NOSUCH", "RECORDNO"),
        "<readByQuery><object>NOSUCH</object><query/></readByQuery>",
        "<read><object>NOSUCH</object><keys>1</keys></read>",
        "<lookup><object>NOSUCH</object></lookup>",
        '<get_list object="NOSUCH"/>',
        "<delete><object>NOSUCH</object><keys>1</keys></delete>",
    ],
)
async def test_an_unknown_object_is_named_without_quotes(wire: Wire, function: str) -> None:
    """E4."""
    reply = await wire.ask(function)
    assert reply.reasons.startswith("Object definition NOSUCH not found [Support ID")


async def test_dimensions_are_listed_with_those_of_the_users_own(wire: Wire) -> None:
    """E5: getDimensions."""
    await wire.order(gldimregion="West")
    reply = await wire.ask("<getDimensions/>")
    shown = {
        item.findtext("objectName"): (item.findtext("userDefinedDimension"), item.findtext("enabledInGL"))
        for item in reply.data.iterfind("dimensions/dimension")
    }
    assert shown["DEPARTMENT"] == shown["LOCATION"] == ("false", "true")
    assert shown["REGION"] == ("true", "true")


def bill(number: str = "B-1") -> str:
    """A legacy create_bill of two lines, 30.00 and 12.50."""
    lines = "".join(
        f"<lineitem><glaccountno>6000</glaccountno><amount>{amount}</amount><memo>{amount}</memo>"
        "<locationid>100</locationid></lineitem>"
        for amount in ("30.00", "12.50")
    )
    return (
        "<create_bill><vendorid>V-1</vendorid><datecreated><year>2026</year><month>11</month><day>01</day></datecreated>"
        f"<termname>Net 30</termname><billno>{number}</billno><billitems>{lines}</billitems></create_bill>"
    )


async def test_update_bill_changes_lines_by_number_and_keeps_their_records(wire: Wire) -> None:
    """E5: update_bill, lines counted from one."""
    await wire.order()
    key = (await wire.ask(bill())).key
    before = (await wire.ask(query("APBILLITEM", "RECORDNO LINE_NO"))).rows
    edit = (
        f'<update_bill key="{key}"><billno>B-2</billno><description>seen</description><updatebillitems>'
        '<updatelineitem line_num="1"><amount>31.00</amount></updatelineitem><lineitem><glaccountno>6000</glaccountno>'
        "<amount>7</amount><locationid>100</locationid></lineitem></updatebillitems></update_bill>"
    )
    reply = await wire.ask(edit)
    assert reply.key == key
    [header] = (await wire.ask(query("APBILL", "RECORDNO RECORDID DESCRIPTION TRX_TOTALENTERED TRX_TOTALDUE"))).rows
    assert list(header.values()) == [key, "B-2", "seen", "50.50", "50.50"]
    lines = (await wire.ask(query("APBILLITEM", "RECORDNO LINE_NO TRX_AMOUNT ENTRYDESCRIPTION"))).rows
    assert [row["RECORDNO"] for row in lines][:2] == [row["RECORDNO"] for row in before]
    assert [(row["LINE_NO"], row["TRX_AMOUNT"]) for row in lines] == [("1", "31.00"), ("2", "12.50"), ("3", "7.00")]
    assert lines[0]["ENTRYDESCRIPTION"] == "30.00"


def changed_line(number: int, change: str) -> str:
    """A change of one line of a bill."""
    return f'<updatebillitems><updatelineitem line_num="{number}">{change}</updatelineitem></updatebillitems>'


@pytest.mark.parametrize(
    ("edit", "errorno"),
    [
        ("<description>x</description>" + changed_line(9, "<amount>1</amount>"), "BL03000018"),
        ("<description>x</description>" + changed_line(1, "<glaccountno>1</glaccountno>"), "BL03000018"),
        ("<billno>B-0</billno><description>x</description>", "BL34000061"),
    ],
)
async def test_update_bill_refuses_what_a_new_bill_could_not_be(wire: Wire, edit: str, errorno: str) -> None:
    """E5: whole or not at all."""
    await wire.order()
    await wire.ask(bill("B-0"))
    key = (await wire.ask(bill())).key
    reply = await wire.ask(f'<update_bill key="{key}">{edit}</update_bill>')
    assert reply.errors == [errorno, "BL01001973"]
    assert [row["DESCRIPTION"] for row in (await wire.ask(query("APBILL", "DESCRIPTION"))).rows] == ["", ""]


async def test_a_paid_bill_is_not_updated(wire: Wire) -> None:
    """E5."""
    await wire.order()
    key = (await wire.ask(bill())).key
    await wire.act("pay_bill", record_no=key)
    reply = await wire.ask(f'<update_bill key="{key}"><description>x</description></update_bill>')
    assert reply.status == "failure"


async def test_vendors_are_made_changed_and_deleted_by_the_legacy_functions(wire: Wire) -> None:
    """E5: create_vendor, update_vendor, delete_vendor."""
    top = login(None)
    new = (
        "<create_vendor><vendorid>V9</vendorid><name>Nine</name><termname>Net 15</termname><contactinfo><contact>"
        "<contactname>Nine(V9)</contactname><printas>Nine</printas><email1>n@n.test</email1><mailaddress><city>Bonn"
        "</city></mailaddress></contact></contactinfo></create_vendor>"
    )
    assert (await wire.ask(new, auth=top)).key == "V9"
    again = await wire.ask(new, auth=top)
    assert again.errors == ["BL34000061", "BL01001973"]
    fields = "NAME TERMNAME DISPLAYCONTACT.PRINTAS DISPLAYCONTACT.EMAIL1 DISPLAYCONTACT.MAILADDRESS.CITY"
    [row] = (await wire.ask(query("VENDOR", fields))).rows
    assert list(row.values()) == ["Nine", "Net 15", "Nine", "n@n.test", "Bonn"]
    assert (await wire.ask('<update_vendor vendorid="V9"><name>Neun</name></update_vendor>', auth=top)).key == "V9"
    assert [row["NAME"] for row in (await wire.ask(query("VENDOR", "NAME"))).rows] == ["Neun"]
    assert (await wire.ask('<delete_vendor vendorid="V9"/>', auth=top)).status == "success"
    assert (await wire.ask('<delete_vendor vendorid="V9"/>', auth=top)).status == "failure"


async def test_a_used_vendor_is_not_deleted(wire: Wire) -> None:
    """E5."""
    await wire.order()
    assert (await wire.ask('<delete_vendor vendorid="V-1"/>', auth=login(None))).status == "failure"


async def test_get_list_pages_filters_and_sorts(wire: Wire) -> None:
    """E5: the page stands in `listtype`, rows are lower case, dates have parts."""
    await wire.order()
    for number in ("B-1", "B-2", "B-3"):
        await wire.ask(bill(number))
    listing = (
        '<get_list object="bill" start="1" maxitems="2"><filter><logical logical_operator="and"><expression>'
        "<field>vendorid</field><operator>=</operator><value>V-1</value></expression><expression><field>billno</field>"
        "<operator>like</operator><value>B-%</value></expression></logical></filter><sorts>"
        '<sortfield order="desc">billno</sortfield></sorts></get_list>'
    )
    reply = await wire.ask(listing)
    head = reply.result.find("listtype")
    assert head is not None
    assert (dict(head.attrib), head.text) == ({"start": "1", "end": "2", "total": "3"}, "bill")
    assert [row.findtext("billno") for row in reply.data] == ["B-2", "B-1"]
    first = reply.data[0]
    assert [part.text for part in first.iterfind("datecreated/*")] == ["2026", "11", "01"]
    assert [line.findtext("amount") for line in first.iterfind("billitems/lineitem")] == ["30.00", "12.50"]


async def test_get_list_and_get_show_masters_in_the_old_words(wire: Wire) -> None:
    """E5: glaccountno, not ACCOUNTNO; `fields` picks."""
    picked = '<get_list object="glaccount" showprivate="true"><fields><field>glaccountno</field></fields></get_list>'
    reply = await wire.ask(picked)
    assert [row["glaccountno"] for row in reply.rows] == ["1000", "2000", "6000"]
    one = await wire.ask('<get object="glaccount" key="6000"/>')
    assert one.data.findtext("glaccount/title") == "Purchases"
    assert (await wire.ask('<get object="glaccount" key="1"/>')).status == "failure"
    wrong = picked.replace("<field>glaccountno", "<field>nosuch")
    assert (await wire.ask(wrong)).errors == ["Invalid fields list nosuch"]


def generic_bill(day: str) -> str:
    """A generic bill dated as given."""
    return (
        f"<create><APBILL><WHENCREATED>{day}</WHENCREATED><VENDORID>V-1</VENDORID><RECORDID>I-1</RECORDID>"
        f"<WHENDUE>{day}</WHENDUE><RECPAYMENTDATE>{day}</RECPAYMENTDATE><APBILLITEMS><APBILLITEM><ACCOUNTNO>6000"
        "</ACCOUNTNO><TRX_AMOUNT>1</TRX_AMOUNT><LOCATIONID>100</LOCATIONID></APBILLITEM></APBILLITEMS></APBILL></create>"
    )


async def test_iso_dates_are_taken_and_answered_the_usual_way(wire: Wire) -> None:
    """E6."""
    await wire.order()
    assert (await wire.ask(generic_bill("2026-11-03"))).status == "success"
    fields = "WHENCREATED WHENDUE RECPAYMENTDATE"
    [row] = (await wire.ask(query("APBILL", fields, is_("RECPAYMENTDATE", "11/03/2026")))).rows
    assert set(row.values()) == {"11/03/2026"}
    project = "<PROJECTID>P</PROJECTID><NAME>P</NAME><BEGINDATE>2026-01-02</BEGINDATE>"
    await make(wire, "PROJECT", project)
    assert (await wire.ask(query("PROJECT", "BEGINDATE"))).rows == [{"BEGINDATE": "01/02/2026"}]


async def test_iso_dates_are_refused_where_the_switch_says_so(wire: Wire) -> None:
    """E6: the documents know MM/DD/YYYY only."""
    await wire.order()
    await wire.switch(iso_dates=False)
    assert (await wire.ask(generic_bill("2026-11-03"))).errors == ["PL03000006", "BL01001973"]
    assert (await wire.ask(generic_bill("11/03/2026"))).status == "success"


def test_every_master_has_a_key_that_is_looked_up() -> None:
    """E1: fields that follow another record find it by its natural key."""
    for kind in OBJECTS.values():
        for target, ours, theirs in kind.derived.values():
            assert OBJECTS[target].key in OBJECTS[target].indexed, target
            assert ours in kind.fields, (kind.name, ours)
            assert theirs in OBJECTS[target].fields, (kind.name, theirs)
    assert "USERINFO" not in MASTERS
