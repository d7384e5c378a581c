"""QuickBooks Online in its sandbox."""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from erp.connection import ConnectionSettings
from erp.connector import ErpConnector
from erp.errors import (
    AuthenticationFailed,
    Duplicate,
    ErpError,
    OutcomeUnknown,
    Rejected,
    Stale,
    Throttled,
    UnknownRefusal,
)
from erp.quickbooks_online import pause, statuses
from erp.quickbooks_online.auth import App
from erp.registry import connectors
from erp.sign_in import Credentials
from erp.storage import Storage
from models.domain.connections import Erp
from models.domain.lists import ListEntry, ListKind
from models.domain.retractions import RetractBy
from tests.conformance.erp_harness import (
    OPEN_ORDER,
    ErpHarness,
    Sandbox,
    SandboxBill,
    SandboxOrder,
    SandboxOrderLine,
    SandboxPayable,
    SandboxPayment,
    SandboxReceipt,
)
from tests.conformance.quickbooks_positions import Position
from tests.fakes.kept_reads import KeptReads
from tests.harness.quickbooks_xml import vendor_schema

APP = App("ABsandboxClientId", "sandbox-client-secret")
REALM = "9130350000000000001"
REDIRECT = "https://posync.test/oauth/callback"

ACTIONS: Mapping[str, str] = {"bill_order": "bill"}
"""The suite's words for what people do, where the sandbox has others."""


class GrantedTokens:
    """Tokens in memory, rotated as the stored ones are."""

    def __init__(self, tokens: Mapping[str, str]) -> None:
        self.tokens = dict(tokens)
        self._one_at_a_time = asyncio.Lock()

    async def current(self) -> Mapping[str, str]:
        return self.tokens

    async def rotate(self, old: Mapping[str, str], refresh: Callable[[Mapping[str, str]], Any]) -> Mapping[str, str]:
        async with self._one_at_a_time:
            if self.tokens == dict(old):
                self.tokens = dict(await refresh(self.tokens))
            return self.tokens


def granted(url: str, app: App = APP) -> dict[str, str]:
    """The tokens of a person's consent to the sandbox's first company."""
    with httpx.Client(base_url=url, trust_env=False) as browser:
        asked = {"client_id": app.client_id, "response_type": "code", "scope": "com.intuit.quickbooks.accounting",
                 "redirect_uri": REDIRECT, "state": "st"}  # fmt: skip
        back = parse_qs(urlsplit(browser.get("/connect/oauth2", params=asked).headers["location"]).query)
        form = {"grant_type": "authorization_code", "code": back["code"][0], "redirect_uri": REDIRECT}
        answer = browser.post("/oauth2/v1/tokens/bearer", data=form, auth=(app.client_id, app.client_secret)).json()
    return {
        "realm": back["realmId"][0],
        "access_token": answer["access_token"],
        "access_expires_at": (datetime.now(UTC) + timedelta(seconds=answer["expires_in"])).isoformat(),
        "refresh_token": answer["refresh_token"],
        "refreshed_at": datetime.now(UTC).isoformat(),
    }


class SyncedLists:
    """The lists as the last sync would have stored them: a `ListMirror`."""

    def __init__(self) -> None:
        self.held: list[ListEntry] = []

    async def sync(self, connector: ErpConnector) -> None:
        self.held, after = [], None
        while True:
            page = await connector.lists.page(list(ListKind), since=None, after=after)
            self.held += page.records
            after = page.after
            if after is None:
                return

    async def entries(self, kind: ListKind) -> list[ListEntry]:
        return [one for one in self.held if one.kind is kind and one.active]


class QuickBooksHarness(ErpHarness):
    name = "quickbooks_online"
    waited: ClassVar[float] = 0.0
    """Seconds by which the clock of the client's pauses is ahead."""
    traits = frozenset(
        {"answers_at_once", "any_text", "billing_moves_status", "charges", "retraction", "revisions_are_times"}
        | {"status_words"}
    )
    ways: ClassVar = {"order": (RetractBy.DELETE,)}
    wrong: ClassVar = {
        "company": ({"realm": "9130350000000000002"}, "WRONG_COMPANY"),
        "nothing": ({"realm": ""}, "AUTH_CREDENTIALS_MISSING"),
    }
    misspelt: ClassVar = ({"bank_account": "BOB"}, "ACCOUNT_REFUSED")
    kinds: ClassVar = {"order": "PurchaseOrder"}
    open_status = statuses.OPEN
    entity = None
    other_entity = ""
    never_open = statuses.OPEN
    peek_calls = 1
    fault_words: ClassVar = {
        "create_bill": "create",
        "update_bill": "update",
        "create_payment": "create",
        "delete_bill": "delete",
        "read": "query",
        "call": "read",
    }
    storm_operations = ("create", "query", "read")
    charge_preferences: ClassVar = {
        "charge_account.freight": "6400",
        "charge_account.tax": "6400",
        "charge_account.discount": "6400",
    }

    refusals: ClassVar = {
        "10000": (OutcomeUnknown, "OUTCOME_UNKNOWN"),
        "600": (Duplicate, "ALREADY_SENT"),
        "5020": (AuthenticationFailed, "PERMISSION_DENIED"),
        "6200": (Rejected, "PERIOD_CLOSED"),
        "2020": (Rejected, "REQUIRED_FIELD_MISSING"),
        "2500": (Rejected, "VALUE_REFUSED"),
        "620": (Rejected, "LINK_REFUSED"),
        "5010": (Stale, "RECORD_CHANGED"),
        "3001": (Throttled, "ERP_THROTTLED"),
        "610": (Rejected, "RECORD_NOT_FOUND"),
        "99999": (UnknownRefusal, "UNKNOWN_ERP_ERROR"),
    }

    def __init__(self, sandbox: Sandbox, position: Position | None = None) -> None:
        self.position = position or {}
        self.synced_lists = SyncedLists()
        self.reads = KeptReads()
        super().__init__(sandbox)
        if "access_token_seconds" in self.position:
            self.most_in_flight = 2  # beside a call there may be a refresh, which goes to another server

    def start(self) -> None:
        self.sandbox.post("/companies/quickbooks_online/sample")
        if self.position:
            self.switch(**self.position)
        self.tokens = granted(self.sandbox.url)
        self.store = GrantedTokens(self.tokens)
        self.open_record = next(one["record_no"] for one in self.held("purchase_orders") if one["number"] == OPEN_ORDER)

    def settings(self) -> dict[str, Any]:
        return {
            "endpoint": self.sandbox.url,
            "allow_loopback": True,
            "timeout_seconds": 5,
            "preferences": {"bank_account": "BOA"},
        }

    def keep_books_in(self, currency: str) -> None:
        self.person("set_preferences", HomeCurrency=currency)

    def credentials(self) -> dict[str, str]:
        return {"realm": REALM}

    @property
    def company(self) -> str:
        return REALM

    def secrets(self) -> Sequence[str]:
        return (self.tokens["access_token"], self.tokens["refresh_token"], APP.client_secret)

    def connect(self, *, credentials: Mapping[str, str] | None = None, **settings: Any) -> ErpConnector:
        values = {**self.credentials(), **(credentials or {})}
        created = connectors(APP)[Erp.QUICKBOOKS_ONLINE](
            ConnectionSettings(**{**self.settings(), **settings}),
            Credentials(values=values),
            Storage(self._store_of(values["realm"]), None, self.reads, self.synced_lists),
        )
        self.connectors.append(created)
        created._client._transport._http.event_hooks["request"].append(_check_what_is_sent)
        return created

    def _store_of(self, realm: str) -> GrantedTokens:
        """All connectors of one connection share its tokens."""
        return self.store if realm == REALM else GrantedTokens({**self.tokens, "realm": realm})

    def fault(self, kind: str, operation: str = "*", **more: Any) -> None:
        # The sandbox names an operation and the kind of record it is about.
        about = {
            "create_bill": "Bill",
            "update_bill": "Bill",
            "create_payment": "BillPayment",
            "delete_bill": "Bill",
        }
        if operation in about:
            more = {"object": about[operation], **more}
        if operation == "*" and "access_token_seconds" in self.position:
            operation = "call"  # each begins with a refresh there, which the fault is not meant for
        super().fault(kind, operation, **more)

    def calls(self) -> dict[str, Any]:
        """What was called, without refreshes of the access token: those are no calls of the API, and not metered."""
        calls = super().calls()
        refreshes = calls["by_operation"].pop("token", 0)
        return {**calls, "total": calls["total"] - refreshes, "requests": calls["requests"] - refreshes}

    def person(self, action: str, **arguments: Any) -> Any:
        if action == "bill_order":
            arguments["invoice_number"] = arguments.pop("vendor_number", "")
        if action == "delete_bill":
            action, arguments = "delete", {"kind": "bill", "number": f"INV-{arguments['key']}"}
        if action == "edit_bill":
            arguments["number"] = f"INV-{arguments.pop('key')}"
        if action == "edit_vendor":
            arguments["number"] = arguments.pop("vendor_id")
        if action == "add_bill":
            arguments = {name: value for name, value in arguments.items() if name in ("vendor_id", "number", "amount")}
        return super().person(ACTIONS.get(action, action), **arguments)

    # --- what it holds --------------------------------------------------------------------------------------------

    def orders(self) -> list[SandboxOrder]:
        vendors, items, accounts = self._ids("vendors"), self._ids("items"), self._ids("accounts")
        billed = self._billed()
        orders = [
            SandboxOrder(
                erp_id=order["record_no"],
                number=order["number"],
                status=_status(order, billed),
                vendor_id=vendors[order["vendor_id"]],
                entity=None,
                total=Decimal(order["total"]),
                lines=tuple(
                    SandboxOrderLine(
                        line_no=line["line_no"],
                        item_id=f"account:{accounts[line['account']]}" if line["account"] else items[line["item_id"]],
                        quantity=Decimal(line["quantity"] or 1),
                        price=Decimal(line["price"] or line["amount"]),
                        amount=Decimal(line["amount"]),
                        billed=billed[order["record_no"], line["line"]]
                        / (1 if line["quantity"] else Decimal(line["amount"])),
                    )
                    for line in order["lines"]
                ),
            )
            for order in self.held("purchase_orders")
        ]
        # Those that a case may delete come first.
        return sorted(orders, key=lambda one: one.number == OPEN_ORDER)

    def _billed(self) -> dict[tuple[str, str], Decimal]:
        """By order and line: what is billed, as far as QuickBooks tells it. Where lines do not show `Received`, that is
        what bills bill; a check or an expense is not told."""
        if self.position.get("received_shown", True):
            orders = self.held("purchase_orders")
            return {
                (one["record_no"], line["line"]): Decimal(line["received"] or 0)
                for one in orders
                for line in one["lines"]
            }
        billed: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for line in (line for bill in self.held("bills") for line in bill["lines"] if line["order_line"]):
            billed[line["order_doc"], line["order_line"]] += Decimal(line["quantity"] or line["amount"])
        return billed

    def receipts(self) -> list[SandboxReceipt]:
        return []

    def bills(self) -> list[SandboxBill]:
        """A bill is the document and the payable in one."""
        return [
            SandboxBill(
                key=_key(bill),
                document_id=f"B{bill['record_no']}",
                payable_id=f"B{bill['record_no']}",
                number=bill["number"],
                order_document=next((line["order_doc"] for line in bill["lines"] if line["order_doc"]), ""),
                order_number=next((line["po_number"] for line in bill["lines"] if line["po_number"]), ""),
                order_lines=tuple(f"{line['order_doc']}:{line['order_line']}" for line in bill["lines"]),
            )
            for bill in self.held("bills")
        ]

    def payables(self) -> list[SandboxPayable]:
        bills = [
            SandboxPayable(
                erp_id=f"B{bill['record_no']}",
                number=bill["number"] or "",
                state="Paid" if Decimal(bill["due"]) == 0 else "Open",
                total=Decimal(bill["total"]),
                paid=Decimal(bill["paid"]),
                due=Decimal(bill["due"]),
                document_id=f"B{bill['record_no']}",
                amounts=tuple(Decimal(line["amount"]) for line in bill["lines"]),
            )
            for bill in self.held("bills")
        ]
        credits = [
            SandboxPayable(
                erp_id=f"VC{credit['record_no']}",
                number=credit["number"] or "",
                state="Credit",
                total=-Decimal(credit["total"]),
                paid=-Decimal(credit["paid"]),
                due=-Decimal(credit["due"]),
                document_id="",
                amounts=tuple(-Decimal(line["amount"]) for line in credit["lines"]),
            )
            for credit in self.held("credits")
        ]
        return bills + credits

    def payments(self) -> list[SandboxPayment]:
        return [
            SandboxPayment(
                payment["record_no"],
                payment["number"],
                tuple((f"B{paid['bill_record_no']}", Decimal(paid["amount"])) for paid in payment["details"]),
            )
            for payment in self.held("payments")
        ]

    def vendors(self) -> set[str]:
        return {vendor["record_no"] for vendor in self.held("vendors")}

    def _ids(self, kind: str) -> dict[str, str]:
        return {row["key"]: row["record_no"] for row in self.held(kind)}

    def wait(self, error: ErpError) -> None:
        super().wait(error)
        QuickBooksHarness.waited += (error.retry_after or timedelta()).total_seconds()
        pytest.MonkeyPatch().setattr(pause, "now", lambda: time.monotonic() + QuickBooksHarness.waited)

    def order_moved(self, *, with_header: bool) -> None:
        self.switch(linked_order_stamp="moves" if with_header else "still")
        self.person("bill", number=OPEN_ORDER, invoice_number="MOVED", lines=[{"line": 1, "quantity": "1"}])

    def spell_deletions(self, spelling: str) -> None:
        assert not spelling, "QuickBooks writes its keys in one way"

    def spell_voids(self, spelling: str) -> None:
        assert not spelling, "QuickBooks writes its states in one way"


async def _check_what_is_sent(request: httpx.Request) -> None:
    """Compare every document that the suite's connectors send with the vendor's schema, where it is at hand."""
    schema = vendor_schema()
    kind = DOCUMENTS.get(request.url.path.rpartition("/")[2])
    if schema is not None and kind is not None and request.method == "POST":
        schema.check_entity(kind, json.loads(request.content, parse_float=Decimal))


DOCUMENTS = {kind.casefold(): kind for kind in ("PurchaseOrder", "Bill", "BillPayment", "VendorCredit", "Vendor")}
"""Kinds of document by their segment of the path."""


def _key(bill: Mapping[str, Any]) -> str:
    memo = bill["memo"] or ""
    return memo.rpartition("[posync ")[2].removesuffix("]") if "[posync " in memo else ""


def _status(order: Mapping[str, Any], billed: Mapping[tuple[str, str], Decimal]) -> str:
    """The status as the client says it: QuickBooks' own, and what its lines say."""
    received = [billed[order["record_no"], line["line"]] for line in order["lines"]]
    if order["state"] == "Open":
        return statuses.OPEN_PARTLY if any(received) else statuses.OPEN
    whole = [Decimal(line["quantity"] or line["amount"]) for line in order["lines"]]
    every = all(got >= ordered for got, ordered in zip(received, whole, strict=True))
    return statuses.CLOSED_ALL if every else statuses.CLOSED
