"""What the control room does with the service around its companies: consents, tokens, the app, webhooks."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sandbox.quickbooks_online import inspect, ui_actions
from sandbox.quickbooks_online.entities import ENTITIES
from sandbox.quickbooks_online.service import Service

Given = Mapping[str, Any]


def act(service: Service, name: str, given: Given) -> Any:
    """Do one action of a person, or one of the service; the answer may have to be awaited."""
    if name in ACTIONS:
        return ACTIONS[name](service, given)
    return ui_actions.act(service.company, name, given)


def show(service: Service, kind: str) -> list[dict[str, Any]]:
    """Every record of a kind of the picked company, or of the service."""
    if kind == "usage":
        return service.usage()
    if kind == "consents":
        return service.consents()
    if kind == "webhooks":
        return service.webhooks.sent
    return inspect.show(service.company, kind)


def _choose_company(service: Service, given: Given) -> Any:
    """The control room works on it from now on, and the next consent is for it."""
    realm = str(given.get("realm", ""))
    if realm not in service.companies:
        raise ValueError(f"realm is one of {', '.join(service.companies)}")
    service.person.realm = realm
    return {"realm": realm}


def _decide_consent(service: Service, given: Given) -> Any:
    service.person.refuses = bool(given.get("refuse"))
    return {"refuses": service.person.refuses}


def _expire_access_tokens(service: Service, given: Given) -> Any:
    return {"expired": service.grants.expire_access(str(given.get("token") or ""))}


def _disconnect(service: Service, given: Given) -> Any:
    """A person takes the app's access away inside the company."""
    return {"ended": service.grants.end_all(service.person.realm, "disconnected by a person")}


def _set_webhook(service: Service, given: Given) -> Any:
    """Where changes are sent; `entities` limits them, an empty `url` ends it."""
    entities = given.get("entities")
    if entities is not None:
        if not isinstance(entities, list) or any(name not in ENTITIES for name in entities):
            raise ValueError(f"entities is a list of {', '.join(ENTITIES)}")
        service.webhooks.entities = frozenset(entities)
    if "url" in given:
        service.webhooks.url = str(given["url"] or "")
    if given.get("verifier_token"):
        service.webhooks.verifier_token = str(given["verifier_token"])
    return {"url": service.webhooks.url, "verifier_token": service.webhooks.verifier_token}


async def _deliver_webhooks(service: Service, given: Given) -> Any:
    """What waits is sent now."""
    return {"acknowledged": await service.webhooks.deliver()}


async def _send_webhook(service: Service, given: Given) -> Any:
    """A call that somebody made up: `events`, or any `body`; `signature` replaces the right one."""
    if not service.webhooks.url:
        raise ValueError("set_webhook first: there is no url")
    if "body" in given:
        content = given["body"]
        body = content.encode() if isinstance(content, str) else json.dumps(content).encode()
    else:
        moment = service.company.now()
        body = service.webhooks.body_of(
            service.webhooks.events_of(given.get("events") or [{}], service.person.realm, moment)
        )
    acknowledged = await service.webhooks.send(body, str(given.get("signature") or ""))
    return {"acknowledged": acknowledged, "status": service.webhooks.sent[-1]["status"]}


ACTIONS: Mapping[str, Callable[[Service, Given], Any | Awaitable[Any]]] = {
    "choose_company": _choose_company,
    "decide_consent": _decide_consent,
    "expire_access_tokens": _expire_access_tokens,
    "disconnect": _disconnect,
    "set_app": lambda service, given: service.set_app(given),
    "set_webhook": _set_webhook,
    "send_webhook": _send_webhook,
    "deliver_webhooks": _deliver_webhooks,
}
KINDS = inspect.KINDS | {"usage", "consents", "webhooks"}
