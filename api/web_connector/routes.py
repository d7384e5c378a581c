"""Serve the QuickBooks Web Connector: it polls this endpoint, and takes and brings documents (reference 1)."""

import re
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Request, Response

from api.http.problems import Problem
from api.http.services import Services, ServiceSet
from api.web_connector import soap
from api.web_connector.soap import Call, NotUnderstood
from services.web_connector.door import Door
from services.web_connector.logins import PATH

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
async def serve(request: Request, services: Services) -> Response:
    """Answer one call of a Web Connector. It needs no API key: it signs in with its own user name and password."""
    try:
        call = soap.read(await request.body())
    except NotUnderstood as error:
        return Response(soap.fault(str(error), client=True), status_code=500, media_type=XML)
    result = await _answer(_door(services), call)
    return Response(soap.answer(call.name, result), media_type=XML)


def _door(services: ServiceSet) -> Door:
    """Return the door for one call; its state is in the database."""
    return Door(
        services.database,
        deliver=services.outbox.deliver_behind_answer,
        hold_seconds=services.settings.web_connector_hold_seconds,
        busy_seconds=services.settings.web_connector_busy_seconds,
    )


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
