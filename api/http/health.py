"""Report whether the process lives and whether its dependencies answer. No key is needed, and nothing else is shown."""

import asyncio
from datetime import timedelta
from typing import Literal, NamedTuple

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError
from temporalio.service import RPCError

from api.http.output import Output
from api.http.services import Services, ServiceSet
from models.contract import TASK_QUEUE, erp_task_queue
from models.store.base import workers
from models.store.connections import connections
from temporal_gateway.pollers import queues_without_poller

router = APIRouter(tags=["health"])

PATIENCE_SECONDS = 3
PATIENCE = timedelta(seconds=PATIENCE_SECONDS)


class Healthy(Output):
    status: str = "ok"


class Readiness(Output):
    status: Literal["ready", "not ready"]
    """`not ready` when one of the others is not `ok`."""
    database: str
    """`ok`, or the kind of error that asking it ended with."""
    temporal: str
    """`ok`, or the kind of error that asking it ended with."""
    workers: str
    """`ok` when a worker serves each task queue that the connections need: it asked for work within the last two
    minutes, and did not stop giving signs of life. Else the queues that none serves. `unknown` while the
    database or Temporal does not answer."""


@router.get("/healthz", operation_id="health", summary="Check that the process is alive")
async def health() -> Healthy:
    """Answer that the process lives. It checks nothing else, so that a database outage does not get the process
    restarted."""
    return Healthy()


@router.get(
    "/readyz",
    operation_id="readiness",
    summary="Check that requests can be served and work is done",
    response_model=Readiness,
    responses={
        503: {"model": Readiness, "description": "The database or Temporal does not answer, or no worker works"}
    },
)
async def readiness(services: Services) -> JSONResponse:
    """Report whether the database and Temporal answer and whether workers take work. The status is 503 if one of them
    does not: `database`, `temporal` and `workers` say which. A worker that is gone, frozen or hangs is noticed within
    half a minute."""
    (database, needed), temporal = await asyncio.gather(_database(services), _temporal(services))
    workers = await _workers(services, needed) if database == temporal == "ok" else "unknown"
    ready = database == temporal == workers == "ok"
    result = Readiness(status="ready" if ready else "not ready", database=database, temporal=temporal, workers=workers)
    return JSONResponse(result.model_dump(), 200 if ready else 503)


class Needed(NamedTuple):
    """The task queues that workers must serve, and the workers that stopped giving signs of life."""

    queues: list[str]
    silent: frozenset[str]


async def _database(services: ServiceSet) -> tuple[str, Needed]:
    """Ask the database which kinds of ERP are connected and which workers are silent."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), services.database.transaction() as session:
            erps = await connections.erps_in_use(session)
            silent = await workers.silent(session)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        return type(error).__name__, Needed([], frozenset())
    return "ok", Needed([TASK_QUEUE, *(erp_task_queue(erp) for erp in sorted(erps))], silent)


async def _temporal(services: ServiceSet) -> str:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await services.temporal.service_client.check_health(timeout=PATIENCE)
    except (RPCError, RuntimeError, OSError, TimeoutError) as error:
        return type(error).__name__
    return "ok"


async def _workers(services: ServiceSet, needed: Needed) -> str:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            idle = await queues_without_poller(services.temporal, needed.queues, but=needed.silent, within=PATIENCE)
    except (RPCError, RuntimeError, OSError, TimeoutError):
        return "unknown"
    return f"no worker serves {', '.join(idle)}" if idle else "ok"
