"""The doors of the pretend QuickBooks Online: its sign-in service and its API (reference 1, 2, 4).

Order of checks of an API call: faults of the wire, token, company, throttle, subscription, path, the month's reads,
repeat of an earlier request, the work itself.
"""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sandbox.asked import Asked
from sandbox.calls import Calls
from sandbox.clock import Clock
from sandbox.faults import Faults, Operation
from sandbox.quickbooks_online import oauth, resources
from sandbox.quickbooks_online.attachments import FILES_PATH
from sandbox.quickbooks_online.batch import items_of
from sandbox.quickbooks_online.bootstrap import bootstrap_company
from sandbox.quickbooks_online.calls import PATH, Call, json_body, understood
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.errors import Refused
from sandbox.quickbooks_online.fault_bodies import fault_answer, quota_used_up, sign_in_answer, throttled
from sandbox.quickbooks_online.grants import Grants, TokenRefused
from sandbox.quickbooks_online.limits import Limits
from sandbox.quickbooks_online.replays import Replays, check_request_id
from sandbox.quickbooks_online.spoiling import AFTER, BEFORE, DURING, during, spoiled, stopped
from sandbox.quickbooks_online.switches import SWITCHES
from sandbox.quickbooks_online.webhooks import Webhooks
from sandbox.responses import Answer
from sandbox.switches import Switches

ERP = "quickbooks_online"
REALM = "9130350000000000001"
OTHER_REALM = "9130350000000000002"
_WRITES = frozenset(["create", "update", "delete", "void", "batch", "upload", "send"])


class Service:
    """The pretend service: companies, the app that is registered, its consents, and the wire around them."""

    def __init__(self, clock: Clock, faults: Faults, calls: Calls) -> None:
        self._clock = clock
        self._faults = faults
        self._calls = calls
        self.switches = Switches(SWITCHES)
        self.webhooks = Webhooks(self.switches)
        self.reset()

    def reset(self) -> None:
        """Two new companies, the well-known app without consents, default switches."""
        self.switches.values = Switches(SWITCHES).values
        self.webhooks.forget()
        self.app = oauth.App()
        self.person = oauth.Person(REALM)
        self.grants = Grants(self._clock, self.switches)
        self.limits = Limits(self._clock, self.switches)
        self.replays = Replays(self._clock, self.switches)
        self.companies = {realm: self._found(realm) for realm in (REALM, OTHER_REALM)}

    def _found(self, realm: str) -> Company:
        company = Company(realm, self._clock, self.switches, self.webhooks.note)
        bootstrap_company(company)
        return company

    def empty(self) -> None:
        """Takes the records of the picked company away; its settings stay as new ones are."""
        self.company.empty()
        bootstrap_company(self.company)

    @property
    def company(self) -> Company:
        """The company that is picked: the control room works on it, and the next consent is for it."""
        return self.companies[self.person.realm]

    async def answer(self, asked: Asked) -> Answer | None:
        """One HTTP request answered; None when the path is not one of the service's. Raises ConnectionCut."""
        found = PATH.fullmatch(asked.path)
        signing_in = oauth.operation_of(asked.path)
        if asked.path.startswith(FILES_PATH):
            return self._file(asked.path)
        if found is None and not signing_in:
            return None
        self._calls.arrived()
        try:
            if found is not None:
                answer = await self._called(found[1], found[2], asked)
            else:
                answer = await self._signing_in(signing_in, asked)
        finally:
            self._calls.left()
        headers = {
            "intuit_tid": f"1-{secrets.token_hex(4)}-{secrets.token_hex(12)}",
            "QBO-Version": "2031.117",
            "Via": "1.1 ip-10-131-58-204 (posync-sandbox)",
            "Cache-Control": "max-age=0, no-cache, no-store, must-revalidate, private",
        }
        return answer._replace(headers={**headers, **answer.headers})

    def _file(self, path: str) -> Answer | None:
        realm, _, identifier = path.removeprefix(FILES_PATH).partition("/")
        company = self.companies.get(realm)
        record = company.get("Attachable", identifier) if company is not None else None
        if record is None:
            return None
        return Answer(record.file, 200, str(record["ContentType"] or "application/octet-stream"))

    # Signing in

    async def _signing_in(self, operation: str, asked: Asked) -> Answer:
        operations = [Operation(operation, "")]
        self._calls.operation(operation)
        await self._pause(operations)
        moment = self._clock.now()
        for rule in self._faults.strike(ERP, operations, BEFORE):
            if rule.kind == "refused":
                return oauth.refused(TokenRefused(rule.errorno or "invalid_grant", 400, rule.message), self.switches)
            return stopped(rule, self.switches, moment)
        try:
            answer = self._signed_in(operation, asked)
        except TokenRefused as error:
            answer = oauth.refused(error, self.switches)
        for rule in self._faults.strike(ERP, operations, AFTER):
            answer = spoiled(answer, rule, moment)
        return answer

    def _signed_in(self, operation: str, asked: Asked) -> Answer:
        method = "POST" if operation in ("token", "revoke") else "GET"
        if asked.method != method:
            return Answer("", 405, "text/html; charset=UTF-8", {"Allow": method})
        if operation == "discovery":
            return oauth.discovery(asked.base)
        if operation == "authorize":
            return oauth.authorize(asked, self.app, self.person, self.grants, self.switches)
        if operation == "token":
            return oauth.token(asked, self.app, self.grants)
        if operation == "revoke":
            return oauth.revoke(asked, self.app, self.grants)
        if operation == "userinfo":
            return oauth.userinfo(asked, self.grants)
        # No answer carries an id_token, so there is no key to check one with.
        return Answer('{"keys":[]}', 200, "application/json;charset=UTF-8")

    # The API

    async def _called(self, realm: str, rest: str, asked: Asked) -> Answer:
        self.limits.in_flight[realm] += 1
        try:
            try:
                call = understood(realm, rest, asked)
            except Refused as refused:
                call = Call(realm, asked, "unknown", None, "")
                return await self._let_in(call, refused)
            return await self._let_in(call, None)
        finally:
            self.limits.in_flight[realm] -= 1

    async def _let_in(self, call: Call, misunderstood: Refused | None) -> Answer:
        for operation in call.operations:
            self._calls.operation(*operation)
        await self._pause(call.operations)
        moment = self._clock.now()
        for rule in self._faults.strike(ERP, call.operations, BEFORE):
            return stopped(rule, self.switches, moment)
        kept_out = self._kept_out(call, moment)
        if kept_out is not None:
            return kept_out
        try:
            if misunderstood is not None:
                raise misunderstood
            answer = await self._worked(call)
        except Refused as refused:
            answer = fault_answer(refused, moment)
        for rule in self._faults.strike(ERP, call.operations, AFTER):
            answer = spoiled(answer, rule, moment)
        if answer.status == 200:
            self.limits.count_reads(call.realm, call.reads)
        return answer

    def _kept_out(self, call: Call, moment: datetime) -> Answer | None:
        token = oauth.bearer(call.asked.headers)
        grant = self.grants.holder(token)
        if grant is None:
            short = len(token) < 20
            detail = "Malformed bearer token: too short or too long" if short else f"Token expired: {token[:4]}***"
            return sign_in_answer(self.switches, moment, "3200", detail)
        if grant.realm != call.realm or oauth.ACCOUNTING not in grant.scope.split():
            return sign_in_answer(self.switches, moment, "3100", f"The token is not for company {call.realm}")
        if not self.limits.takes(call.realm, batch=call.operation == "batch"):
            return throttled(self.switches, moment)
        if self.switches.word("subscription") == "ended":
            detail = "The subscription of this company has ended, or there was a billing problem."
            return fault_answer(Refused("6190", "Invalid Company Status", detail), moment)
        if call.reads and not self.limits.may_read(call.realm):
            return quota_used_up(self.switches, moment)
        return None

    async def _worked(self, call: Call) -> Answer:
        """The work, once for each requestid (reference 3.6). Raises Refused."""
        request_id = call.parameters.get("requestid", "")
        if not request_id or call.operation not in _WRITES:
            return self._done(call)
        batch_ids = None
        if call.operation == "batch":
            batch_ids = [str(item.get("bId", "")) for item in items_of(json_body(call.asked))]
        check_request_id(request_id, batch_ids)
        async with self.replays.turn(call.realm, request_id):
            known = self.replays.known(call.realm, request_id)
            if known is not None:
                return known
            answer = self._done(call)
            self.replays.keep(call.realm, request_id, answer)
            return answer

    def _done(self, call: Call) -> Answer:
        rules = self._faults.strike(ERP, call.operations, DURING)
        return resources.run(self.companies[call.realm], call, during(rules))

    async def _pause(self, operations: list[Operation]) -> None:
        pause = self.switches.number("latency_seconds")
        pause += sum(rule.seconds for rule in self._faults.strike(ERP, operations, frozenset({"slow"})))
        if pause:
            await asyncio.sleep(pause)

    # What the control room sees and sets

    def set_app(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Another client id or secret, or the redirect addresses that are registered; a reset restores them.

        Raises:
            ValueError: a value is none of the app, or of the wrong kind.
        """
        unknown = set(given) - set(asdict(self.app))
        if unknown or not given:
            raise ValueError(f"give any of {', '.join(asdict(self.app))}")
        if not isinstance(given.get("redirect_uris", []), list):
            raise ValueError("redirect_uris is a list")
        for name, value in given.items():
            setattr(self.app, name, [str(one) for one in value] if name == "redirect_uris" else str(value))
        return asdict(self.app)

    def usage(self) -> list[dict[str, Any]]:
        """Metered reads by company and month, and calls that were throttled."""
        reads = [
            {"realm": realm, "month": month, "reads": count} for (realm, month), count in self.limits.reads.items()
        ]
        return [*reads, *({"realm": realm, "throttled": count} for realm, count in self.limits.throttled.items())]

    def consents(self) -> list[dict[str, Any]]:
        """What people agreed to, and whether it still holds."""
        return [
            {
                "realm": grant.realm,
                "scope": grant.scope,
                "begun": grant.begun.isoformat(),
                "ended": grant.ended or None,
                "refresh_token": grant.refresh_token or None,
                "refreshes": grant.refreshes,
                "superseded_tokens_used": grant.reused,
            }
            for grant in self.grants.grants
        ]
