"""Which ERPs there are. A new one is a folder beside `intacct/` and a line here (docs/add-an-erp.md)."""

from collections.abc import Mapping

from erp.connector import ConnectorFactory, SigningIn
from erp.intacct import signing_in as intacct
from erp.intacct.connector import IntacctConnector
from erp.netsuite import signing_in as netsuite
from erp.netsuite.connector import NetSuiteConnector
from models.domain import Erp

CONNECTORS: Mapping[Erp, ConnectorFactory] = {Erp.INTACCT: IntacctConnector, Erp.NETSUITE: NetSuiteConnector}

SIGNING_IN: Mapping[Erp, SigningIn] = {
    Erp.INTACCT: intacct.SIGNING_IN,
    Erp.NETSUITE: netsuite.SIGNING_IN,
}
