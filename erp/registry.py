"""Which ERPs there are. A new one is a folder beside `intacct/` and a line here (docs/add-an-erp.md)."""

from collections.abc import Mapping

from erp.connector import ConnectorFactory
from erp.intacct.connector import IntacctConnector
from models.domain import Erp

CONNECTORS: Mapping[Erp, ConnectorFactory] = {Erp.INTACCT: IntacctConnector}
