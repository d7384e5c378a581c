"""List the ERPs there are. A new one is a folder beside `intacct/` and a line here (docs/how-to/add-an-erp.md)."""

from collections.abc import Callable, Mapping

from erp.connection import ConnectionSettings
from erp.connector import ConnectorFactory, ErpConnector
from erp.intacct import auth as intacct
from erp.intacct import issues as intacct_issues
from erp.intacct.connector import IntacctConnector
from erp.netsuite import auth as netsuite
from erp.netsuite import issues as netsuite_issues
from erp.netsuite.connector import NetSuiteConnector
from erp.quickbooks_desktop import auth as quickbooks_desktop
from erp.quickbooks_desktop import issues as quickbooks_desktop_issues
from erp.quickbooks_desktop.connector import QuickBooksDesktopConnector
from erp.quickbooks_online import auth as quickbooks_online
from erp.quickbooks_online import issues as quickbooks_online_issues
from erp.quickbooks_online.auth import App
from erp.quickbooks_online.connector import QuickBooksConnector
from erp.sign_in import Credentials, CredentialsSpec
from erp.storage import Storage
from models.domain.connections import Erp
from models.domain.issues import ISSUE_CODES, IssueCode


def _stores_nothing(make: Callable[[ConnectionSettings, Credentials], ErpConnector]) -> ConnectorFactory:
    """Return the factory of an ERP whose credentials do not change by use and that answers at once."""

    def factory(settings: ConnectionSettings, credentials: Credentials, storage: Storage) -> ErpConnector:
        return make(settings, credentials)

    return factory


ISSUES: Mapping[Erp, Mapping[str, IssueCode]] = {
    Erp.INTACCT: intacct_issues.ISSUES,
    Erp.NETSUITE: netsuite_issues.ISSUES,
    Erp.QUICKBOOKS_ONLINE: quickbooks_online_issues.ISSUES,
    Erp.QUICKBOOKS_DESKTOP: quickbooks_desktop_issues.ISSUES,
}


def issue_code(code: str, erp: Erp | None = None) -> IssueCode:
    """Return the texts of an issue code: the ERP's own, else those all ERPs share. Without an ERP, they are those of
    the ERP that has the code.

    A code without a row is shown as what it is: an error nobody has described yet.
    """
    tables = [ISSUES[erp], ISSUE_CODES] if erp is not None else [ISSUE_CODES, *ISSUES.values()]
    result = next((table[code] for table in tables if code in table), None)
    return result or ISSUE_CODES["UNKNOWN_ERP_ERROR"]._replace(code=code)


def connectors(quickbooks_app: App | None = None) -> Mapping[Erp, ConnectorFactory]:
    """Return the factories of all ERPs. QuickBooks lets in only an app that is registered with Intuit; without one,
    its connections say so when they are used."""

    def quickbooks(settings: ConnectionSettings, credentials: Credentials, storage: Storage) -> ErpConnector:
        return QuickBooksConnector(settings, credentials, storage, quickbooks_app)

    return {
        Erp.INTACCT: _stores_nothing(IntacctConnector),
        Erp.NETSUITE: _stores_nothing(NetSuiteConnector),
        Erp.QUICKBOOKS_ONLINE: quickbooks,
        Erp.QUICKBOOKS_DESKTOP: QuickBooksDesktopConnector,
    }


def app_of(client_id: str | None, client_secret: str | None) -> App | None:
    """Return the installation's app at Intuit; None: it has none."""
    return None if client_id is None or client_secret is None else App(client_id, client_secret)


CREDENTIALS_SPECS: Mapping[Erp, CredentialsSpec] = {
    Erp.INTACCT: intacct.CREDENTIALS_SPECS,
    Erp.NETSUITE: netsuite.CREDENTIALS_SPECS,
    Erp.QUICKBOOKS_ONLINE: quickbooks_online.CREDENTIALS_SPECS,
    Erp.QUICKBOOKS_DESKTOP: quickbooks_desktop.CREDENTIALS_SPECS,
}
