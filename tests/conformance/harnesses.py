"""The harnesses the suite runs with: whoever adds an ERP names its harness here."""

from collections.abc import Mapping

from tests.conformance.erp_harness import (
    ErpHarness,
)
from tests.conformance.intacct_harness import (
    IntacctHarness,
)
from tests.conformance.netsuite_harness import (
    NetSuiteHarness,
)
from tests.conformance.quickbooks_desktop_harness import (
    QuickBooksDesktopHarness,
)
from tests.conformance.quickbooks_online_harness import (
    QuickBooksHarness,
)

HARNESSES: Mapping[str, type[ErpHarness]] = {
    harness.name: harness for harness in (IntacctHarness, NetSuiteHarness, QuickBooksHarness, QuickBooksDesktopHarness)
}
"""By the ERP's name, as in `Erp`."""
