"""The control room under `/sandbox/`: load, look, act, break and count. No vendor has these paths."""

import os
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from inspect import isawaitable
from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.calls import Calls
from sandbox.clock import Clock
from sandbox.faults import BadRule, Faults
from sandbox.intacct import inspect as intacct_inspect
from sandbox.intacct import loading as intacct_loading
from sandbox.intacct import ui_actions as intacct_ui_actions
from sandbox.intacct.errors import FunctionError
from sandbox.intacct.gateway import Gateway
from sandbox.intacct.sample import sample_company
from sandbox.netsuite import inspect as netsuite_inspect
from sandbox.netsuite import loading as netsuite_loading
from sandbox.netsuite import sample as netsuite_sample
from sandbox.netsuite import ui_actions as netsuite_ui_actions
from sandbox.netsuite.errors import Refused
from sandbox.netsuite.port import Port
from sandbox.neutral import BadInput, rows_from_csv
from sandbox.quickbooks_desktop import computer_actions
from sandbox.quickbooks_desktop import loading as desktop_loading
from sandbox.quickbooks_desktop import sample as desktop_sample
from sandbox.quickbooks_desktop import ui_actions as desktop_ui_actions
from sandbox.quickbooks_desktop.computer import Computer
from sandbox.quickbooks_desktop.errors import Refused as DesktopRefused
from sandbox.quickbooks_online import loading as quickbooks_loading
from sandbox.quickbooks_online import sample as quickbooks_sample
from sandbox.quickbooks_online import service_actions as quickbooks_actions
from sandbox.quickbooks_online import ui_actions as quickbooks_ui_actions
from sandbox.quickbooks_online.errors import Refused as QuickbooksRefused
from sandbox.quickbooks_online.service import Service
from sandbox.switches import Switches

Endpoint = Callable[[Request], Awaitable[Response]]
Report = dict[str, Any]
_ERPS = ("intacct", "netsuite", "quickbooks_online", "quickbooks_desktop")


class PretendErp(NamedTuple):
    """What the control room does with one pretend ERP."""

    reset: Callable[[], None]
    load: Callable[[Mapping[str, Any], bool], Report]
    sample: Callable[[], Report]
    act: Callable[[str, Mapping[str, Any]], Any]
    actions: frozenset[str]
    switches: Callable[[], Switches]
    kinds: frozenset[str]
    show: Callable[[str], list[Report]]


def _intacct(gateway: Gateway) -> PretendErp:
    company = gateway.company

    def sample() -> Report:
        company.empty()
        return sample_company(company)

    return PretendErp(
        reset=gateway.reset,
        load=lambda content, missing: intacct_loading.load(company, content, create_missing=missing),
        sample=sample,
        act=lambda name, given: intacct_ui_actions.act(company, name, given),
        actions=frozenset(intacct_ui_actions.ACTIONS),
        switches=lambda: company.switches,
        kinds=intacct_inspect.KINDS,
        show=lambda kind: intacct_inspect.show(company, kind),
    )


def _netsuite(port: Port) -> PretendErp:
    company = port.company

    def sample() -> Report:
        port.empty()
        return netsuite_sample.sample_company(company)

    def act(name: str, given: Mapping[str, Any]) -> Any:
        own = {"change_secrets": port.change_secrets, "expire_searches": port.expire_searches}
        return own[name](given) if name in own else netsuite_ui_actions.act(company, name, given)

    return PretendErp(
        reset=port.reset,
        load=lambda content, missing: netsuite_loading.load(company, content, create_missing=missing),
        sample=sample,
        act=act,
        actions=frozenset([*netsuite_ui_actions.ACTIONS, "change_secrets", "expire_searches"]),
        switches=lambda: company.switches,
        kinds=netsuite_inspect.KINDS | {"login_audit"},
        show=lambda kind: port.passports.audit if kind == "login_audit" else netsuite_inspect.show(company, kind),
    )


def _quickbooks_online(service: Service) -> PretendErp:
    def sample() -> Report:
        service.empty()
        return quickbooks_sample.sample_company(service.company)

    return PretendErp(
        reset=service.reset,
        load=lambda content, missing: quickbooks_loading.load(service.company, content, create_missing=missing),
        sample=sample,
        act=lambda name, given: quickbooks_actions.act(service, name, given),
        actions=frozenset([*quickbooks_ui_actions.ACTIONS, *quickbooks_actions.ACTIONS]),
        switches=lambda: service.switches,
        kinds=quickbooks_actions.KINDS,
        show=lambda kind: quickbooks_actions.show(service, kind),
    )


def _quickbooks_desktop(computer: Computer) -> PretendErp:
    def sample() -> Report:
        computer.empty()
        return desktop_sample.sample_company(computer.company)

    return PretendErp(
        reset=computer.reset,
        load=lambda content, missing: desktop_loading.load(computer.company, content, create_missing=missing),
        sample=sample,
        act=lambda name, given: computer_actions.act(computer, name, given),
        actions=frozenset([*desktop_ui_actions.ACTIONS, *computer_actions.ACTIONS]),
        switches=lambda: computer.switches,
        kinds=computer_actions.KINDS,
        show=lambda kind: computer_actions.show(computer, kind),
    )


def control_room(
    clock: Clock,
    faults: Faults,
    calls: Calls,
    intacct: Gateway,
    netsuite: Port,
    quickbooks_online: Service,
    quickbooks_desktop: Computer,
) -> Starlette:
    """The app behind `/sandbox/`, over the given parts."""
    erps = {
        "intacct": _intacct(intacct),
        "netsuite": _netsuite(netsuite),
        "quickbooks_online": _quickbooks_online(quickbooks_online),
        "quickbooks_desktop": _quickbooks_desktop(quickbooks_desktop),
    }
    room = _Room(clock, faults, calls, erps)
    company = "/sandbox/companies/{erp}"
    return Starlette(
        routes=[
            Route("/sandbox/health", _safe(room.health), methods=["GET"]),
            Route("/sandbox/reset", _safe(room.reset), methods=["POST"]),
            Route("/sandbox/clock", _safe(room.show_clock), methods=["GET"]),
            Route("/sandbox/clock", _safe(room.set_clock), methods=["POST"]),
            Route("/sandbox/faults", _safe(room.show_faults), methods=["GET"]),
            Route("/sandbox/faults", _safe(room.add_faults), methods=["POST"]),
            Route("/sandbox/faults", _safe(room.clear_faults), methods=["DELETE"]),
            Route("/sandbox/calls", _safe(room.show_calls), methods=["GET"]),
            Route("/sandbox/calls/reset", _safe(room.reset_calls), methods=["POST"]),
            Route(f"{company}/load", _safe(room.load), methods=["POST"]),
            Route(f"{company}/sample", _safe(room.sample), methods=["POST"]),
            Route(f"{company}/actions", _safe(room.act), methods=["POST"]),
            Route(f"{company}/switches", _safe(room.show_switches), methods=["GET"]),
            Route(f"{company}/switches", _safe(room.set_switches), methods=["POST"]),
            Route(f"{company}/{{kind}}", _safe(room.show), methods=["GET"]),
        ]
    )


def _safe(endpoint: Endpoint) -> Endpoint:
    """What the caller got wrong is a 400 or 422 that says what; an unknown company or kind is a 404."""

    async def answer(request: Request) -> Response:
        erp = request.path_params.get("erp", "intacct")
        if erp not in _ERPS:
            return JSONResponse({"error": f"unknown ERP {erp!r}; there are {', '.join(_ERPS)}"}, 404)
        try:
            return await endpoint(request)
        except FunctionError as error:
            lines = [{"errorno": line.errorno, "message": line.description2} for line in error.lines]
            return JSONResponse({"error": error.lines[0].description2, "errors": lines}, 422)
        except Refused as error:
            return JSONResponse(netsuite_ui_actions.refused(error), 422)
        except QuickbooksRefused as error:
            return JSONResponse(quickbooks_ui_actions.refused(error), 422)
        except DesktopRefused as error:
            return JSONResponse(desktop_ui_actions.refused(error), 422)
        except (ValueError, BadRule, BadInput) as error:
            return JSONResponse({"error": str(error)}, 400)

    return answer


async def _json(request: Request) -> dict[str, Any]:
    body = await request.body()
    if not body:
        return {}
    given = await request.json()
    if not isinstance(given, dict):
        raise ValueError("the body is a JSON object")
    return given


class _Room:
    def __init__(self, clock: Clock, faults: Faults, calls: Calls, erps: Mapping[str, PretendErp]) -> None:
        self._clock = clock
        self._faults = faults
        self._calls = calls
        self._erps = erps

    def _erp(self, request: Request) -> PretendErp:
        return self._erps[request.path_params["erp"]]

    async def health(self, request: Request) -> Response:
        # Who answers, and which process: a port that somebody else took meanwhile answers, too.
        return JSONResponse({"status": "ok", "service": "posync-sandbox", "pid": os.getpid()})

    async def reset(self, request: Request) -> Response:
        self._faults.clear()
        self._calls.reset()
        self._clock.follow_real_time()
        for erp in self._erps.values():
            erp.reset()
        return JSONResponse({"status": "reset"})

    async def show_clock(self, request: Request) -> Response:
        return JSONResponse(self._clock.describe())

    async def set_clock(self, request: Request) -> Response:
        given = await _json(request)
        if given.get("real"):
            self._clock.follow_real_time()
        elif "now" in given:
            self._clock.set(datetime.fromisoformat(str(given["now"])), frozen=bool(given.get("frozen")))
        elif "advance_seconds" in given:
            self._clock.advance(float(given["advance_seconds"]))
        else:
            raise ValueError("give now, advance_seconds or real")
        return JSONResponse(self._clock.describe())

    async def show_faults(self, request: Request) -> Response:
        return JSONResponse(self._faults.describe())

    async def add_faults(self, request: Request) -> Response:
        given = await _json(request)
        rules = given.get("rules")
        if not isinstance(rules, list):
            raise ValueError("give rules, a list")
        self._faults.add(rules, given.get("seed"))
        return JSONResponse(self._faults.describe())

    async def clear_faults(self, request: Request) -> Response:
        self._faults.clear()
        return JSONResponse(self._faults.describe())

    async def show_calls(self, request: Request) -> Response:
        return JSONResponse(self._calls.describe())

    async def reset_calls(self, request: Request) -> Response:
        self._calls.reset()
        return JSONResponse(self._calls.describe())

    async def load(self, request: Request) -> Response:
        create_missing = request.query_params.get("create_missing", "false").lower() == "true"
        problems: list[dict[str, object]] = []
        if request.headers.get("content-type", "").startswith("text/csv"):
            kind = request.query_params.get("kind", "")
            text = (await request.body()).decode("utf-8-sig")
            rows, problems = rows_from_csv(kind, text)
            given: dict[str, Any] = {kind: rows}
        else:
            given = await _json(request)
        report = self._erp(request).load(given, create_missing)
        return JSONResponse({**report, "errors": [*problems, *report["errors"]]})

    async def sample(self, request: Request) -> Response:
        return JSONResponse(self._erp(request).sample())

    async def act(self, request: Request) -> Response:
        given = await _json(request)
        name = given.pop("action", "")
        erp = self._erp(request)
        if name not in erp.actions:
            raise ValueError(f"unknown action {name!r}; there are {', '.join(sorted(erp.actions))}")
        done = erp.act(name, given)
        return JSONResponse(await done if isawaitable(done) else done)

    async def show_switches(self, request: Request) -> Response:
        return JSONResponse(self._erp(request).switches().describe())

    async def set_switches(self, request: Request) -> Response:
        switches = self._erp(request).switches()
        for name, value in (await _json(request)).items():
            switches.set(name, value)
        return JSONResponse(switches.describe())

    async def show(self, request: Request) -> Response:
        kind = request.path_params["kind"]
        erp = self._erp(request)
        if kind not in erp.kinds:
            return JSONResponse({"error": f"unknown kind {kind!r}; there are {', '.join(sorted(erp.kinds))}"}, 404)
        shown = erp.show(kind)
        for field, value in request.query_params.items():
            shown = [record for record in shown if str(record.get(field)) == value]
        return JSONResponse(shown)
