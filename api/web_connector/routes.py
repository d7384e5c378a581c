"""Serve the QuickBooks Web Connector: it polls this endpoint, and takes and brings documents (reference 1)."""

import logging
import re
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, BackgroundTasks, Request, Response
from temporalio.service import RPCError

from api.http.problems import Problem
from api.http.services import Services, ServiceSet
from api.web_connector import soap
from api.web_connector.soap import Call, NotUnderstood
from models.store.audit.exchanges import Waiter
from services.web_connector.door import Door
from services.web_connector.logins import PATH
from temporal_gateway.deferred import retry_activity_now

log = logging.getLogger(__name__)

router = APIRouter(include_in_schema=False)

XML = "text/xml; charset=utf-8"

_WHOLE = re.compile(r"[0-9]{1,9}")

VERSION = version("posync")
"""Read once: to look it up costs as much as the rest of a call."""


@router.get(PATH)
async def describe(request: Request, services: Services) -> Response:
    """Return the WSDL; without `?wsdl` a line of text, as the Web Connector only looks whether something answers."""
    if any(name.lower() == "wsdl" for name in request.query_params):
        base = services.settings.public_url
        if base is None:
            raise Problem("PUBLIC_URL_MISSING")
        return Response(soap.description(f"{base}{PATH}"), media_type=XML)
    return Response("posync answers QuickBooks Web Connectors here.\n", media_type="text/plain")


@router.get(f"{PATH}/support")
async def support() -> Response:
    """Say where people find help: the Web Connector asks for this address before it takes a .qwc file."""
    return Response(
        "This QuickBooks company is kept in step by posync. Ask whoever gave you the .qwc file.\n",
        media_type="text/plain",
    )


@router.post(PATH)
async def serve(request: Request, services: Services, behind: BackgroundTasks) -> Response:
    """Answer one call of a Web Connector. It needs no API key: it signs in with its own user name and password."""
    try:
        call = soap.read(await request.body())
    except NotUnderstood as error:
        return Response(soap.fault(str(error), client=True), status_code=500, media_type=XML)
    result = await _answer(_door(services, behind), call)
    return Response(soap.answer(call.name, result), media_type=XML, background=behind)


def _door(services: ServiceSet, behind: BackgroundTasks) -> Door:
    """Return the door for one call; its state is in the database. Who waits for an answer is woken behind the call's
    own answer: the attempt that asked may still have to end."""
    return Door(
        services.database,
        notify=lambda waiter: behind.add_task(_retry_waiter, services, waiter),
        deliver=services.outbox.deliver_behind_answer,
        hold_seconds=services.settings.web_connector_hold_seconds,
        busy_seconds=services.settings.web_connector_busy_seconds,
    )


async def _retry_waiter(services: ServiceSet, waiter: Waiter) -> None:
    try:
        await retry_activity_now(
            services.temporal,
            workflow_id=waiter.workflow_id,
            run_id=waiter.workflow_run_id,
            activity_id=waiter.activity_id,
        )
    except (RPCError, RuntimeError) as error:
        log.warning("%s was not woken and looks for its answer by itself: %s", waiter.workflow_id, error)


async def _answer(door: Door, call: Call) -> Any:
    given = call.parameters
    match call.name:
        case "serverVersion":
            return VERSION
        case "clientVersion":
            return ""
        case "authenticate":
            admitted = await door.authenticate(given["strUserName"], given["strPassword"])
            return [admitted.secret, admitted.verdict]
        case "sendRequestXML":
            return await door.send_request(
                given["ticket"],
                given["strHCPResponse"],
                given["strCompanyFileName"],
                _whole(given["qbXMLMajorVers"]),
                _whole(given["qbXMLMinorVers"]),
            )
        case "receiveResponseXML":
            return await door.receive_response(given["ticket"], given["response"], given["hresult"], given["message"])
        case "connectionError":
            return await door.connection_error(given["ticket"], given["hresult"], given["message"])
        case "getLastError":
            return await door.last_error(given["ticket"])
        case _:
            return await door.close(given["ticket"])


def _whole(text: str) -> int:
    return int(text) if _WHOLE.fullmatch(text.strip()) else 0
