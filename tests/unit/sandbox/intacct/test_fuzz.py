"""Broken requests of every kind get an answer of the protocol, never a crash."""

import random
from copy import deepcopy

import pytest
from lxml import etree

from tests.harness.sandbox_books import check_books
from tests.unit.sandbox.wire import Wire, control, day, invoice, is_, login, payment, query

STRANGE = (
    "",
    " ",
    "0",
    "-1",
    "1.5",
    "1e9",
    "NaN",
    "x",
    "'",
    "100",
    "IT-1",
    "V-1",
    "13/45/2031",
    "a" * 300,
    "١٢",
    "%",
    "true",
)

FUNCTIONS = (
    "<getAPISession><locationid>100</locationid></getAPISession>",
    query("PODOCUMENT", "RECORDNO DOCID STATE VENDOR.NAME", f"<and>{is_('DOCNO', 'PO-1')}{is_('RECORDNO', '0')}</and>"),
    query(
        "APBILL", "RECORDNO WHENDUE", f"<or>{is_('WHENDUE', '01/01/2031', 'lessthan')}{is_('TRX_TOTALDUE', '5')}</or>"
    ),
    query("PODOCUMENTENTRY", "RECORDNO", "<in><field>DOCHDRNO</field><value>1</value><value>2</value></in>"),
    query("VENDOR", "RECORDNO", "<between><field>RECORDNO</field><value>1</value><value>2</value></between>"),
    "<query><object>PODOCUMENT</object><select><field>STATE</field><count>RECORDNO</count><avg>TRX_TOTAL</avg>"
    "<min>WHENDUE</min></select></query>",
    "<readByQuery><object>PODOCUMENT</object><fields>*</fields><query>STATE = 'O' and RECORDNO &gt; 0 and rownum &lt; 5"
    "</query><pagesize>10</pagesize></readByQuery>",
    "<readMore><resultId>x</resultId></readMore>",
    "<read><object>PODOCUMENT</object><keys>1,2</keys><fields>*</fields></read>",
    "<readByName><object>VENDOR</object><keys>V-1</keys><fields>NAME</fields></readByName>",
    "<lookup><object>PODOCUMENT</object></lookup>",
    "<inspect><object>*</object></inspect>",
    invoice(
        {"document_id": "Purchase Order-PO-1", "lines": [{"item_id": "IT-1", "record_no": "1"}]}, {1: "1"}, number=""
    ),
    "<update_potransaction key='Purchase Order-PO-1'><datedue><year>2031</year><month>1</month><day>1</day></datedue>"
    "<message>m</message><updatepotransitems><updatepotransitem line_num='1'><quantity>5</quantity><price>2</price>"
    "</updatepotransitem><potransitem><itemid>IT-1</itemid><quantity>1</quantity><unit>Each</unit><price>1</price>"
    "<locationid>100</locationid></potransitem></updatepotransitems></update_potransaction>",
    f"<partialupdate_potransaction key='Purchase Order-PO-1'><dateposted>{day()}</dateposted>"
    "</partialupdate_potransaction>",
    "<delete_potransaction key='Vendor Invoice-VI-0001'/>",
    "<approve><PODOCUMENT><DOCID>Purchase Order-PO-1</DOCID></PODOCUMENT></approve>",
    payment("1", "1.00"),
    "<create><APBILL><WHENCREATED>11/01/2026</WHENCREATED><VENDORID>V-1</VENDORID><RECORDID>B</RECORDID>"
    "<WHENDUE>12/01/2026"
    "</WHENDUE><EXCHANGE_RATE>1.1</EXCHANGE_RATE><APBILLITEMS><APBILLITEM><ACCOUNTNO>6000</ACCOUNTNO><TRX_AMOUNT>4"
    "</TRX_AMOUNT><LOCATIONID>100</LOCATIONID></APBILLITEM></APBILLITEMS></APBILL></create>",
    "<create><VENDOR><VENDORID>N</VENDORID><NAME>n</NAME><STATUS>active</STATUS></VENDOR></create>",
    "<update><VENDOR><VENDORID>V-1</VENDORID><TERMNAME>Net 15</TERMNAME></VENDOR></update>",
    "<update><APPYMT><RECORDNO>1</RECORDNO><DESCRIPTION>d</DESCRIPTION></APPYMT></update>",
    "<delete><object>APBILL</object><keys>1</keys></delete>",
    f"<create_bill><vendorid>V-1</vendorid><datecreated>{day()}</datecreated><termname>Net 30</termname><billno>L"
    "</billno>"
    "<billitems><lineitem><glaccountno>6000</glaccountno><amount>5</amount><locationid>100</locationid></lineitem>"
    "</billitems></create_bill>",
    f"<reverse_bill key='1'><datereversed>{day()}</datereversed></reverse_bill>",
    f"<create_paymentrequest><bankaccountid>BOA</bankaccountid><vendorid>V-1</vendorid><paymentmethod>EFT"
    "</paymentmethod>"
    f"<paymentdate>{day()}</paymentdate><paymentrequestitems><paymentrequestitem><key>1</key><paymentamount>1"
    "</paymentamount></paymentrequestitem></paymentrequestitems></create_paymentrequest>",
    "<void_appaymentrequest><appaymentkeys><appaymentkey>1</appaymentkey></appaymentkeys></void_appaymentrequest>",
    "<get_companyprefs application='AP'/>",
    "<readUserFormatting><userId>xml_gateway</userId></readUserFormatting>",
)


def spoil(chance: random.Random, root: etree._Element) -> None:
    """One to three small accidents somewhere in the request."""
    for _ in range(chance.randint(1, 3)):
        elements = [element for element in root.iter() if element is not root]
        if not elements:
            return
        victim = chance.choice(elements)
        parent = victim.getparent()
        accident = chance.randrange(6)
        if accident == 0 and parent is not None:
            parent.remove(victim)
        elif accident == 1 and parent is not None:
            parent.append(deepcopy(victim))
        elif accident == 2 and parent is not None:
            parent.insert(0, victim)
        elif accident == 3:
            victim.tag = chance.choice(["query", "locationid", "field", "nonsense", "value", "key"])
        elif accident == 4 and victim.attrib:
            victim.set(next(iter(victim.attrib)), chance.choice(STRANGE))
        elif len(victim) == 0:
            victim.text = chance.choice(STRANGE)


@pytest.mark.parametrize("seed", range(8))
async def test_spoiled_requests_are_answered(wire: Wire, seed: int) -> None:
    chance = random.Random(seed)
    await wire.order()
    order = await wire.order("PO-2")
    await wire.ask(invoice(order, {1: "5"}))
    answered = set()
    for _ in range(250):
        function = chance.choice(FUNCTIONS)
        root = etree.fromstring(
            f'<request>{control()}<operation transaction="{chance.choice(["true", "false"])}"><authentication>{login()}'
            f'</authentication><content><function controlid="1">{function}</function></content></operation></request>'
        )
        # Mostly inside the function: an accident in the envelope is soon told.
        spoil(chance, root if chance.random() < 0.2 else root[1][1][0])
        answer = await wire.post(etree.tostring(root, encoding="unicode"))
        assert answer.status_code in (200, 400, 401)
        if answer.headers["content-type"].startswith("text/xml"):
            answered.add(etree.fromstring(answer.content).findtext("operation/result/status") or "not executed")
    await check_books(wire)
    assert answered == {"success", "failure", "aborted", "not executed"}
