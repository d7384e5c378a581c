"""Whether the process lives, and whether what it needs answers. No key is needed, nothing is told but that."""

import asyncio
from datetime import timedelta

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from temporalio.service import RPCError

from api.services import Services, ServiceSet

router = APIRouter(tags=["health"])

PATIENCE_SECONDS = 3


class Healthy(BaseModel):
    status: str = "ok"


class Readiness(BaseModel):
    status: str
    """ready | not ready."""
    database: str
    temporal: str


@router.get("/healthz", operation_id="health", summary="Is the process alive")
async def health() -> Healthy:
    """Touches nothing else: a database outage must not get the process restarted."""
    return Healthy()


@router.get(
    "/readyz",
    operation_id="readiness",
    summary="Can requests be served",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "The database or Temporal does not answer"}},
)
async def readiness(services: Services) -> JSONResponse:
    """Asks the database and Temporal."""
    database, temporal = await asyncio.gather(_database(services), _temporal(services))
    ready = database == temporal == "ok"
    found = Readiness(status="ready" if ready else "not ready", database=database, temporal=temporal)
    return JSONResponse(found.model_dump(), 200 if ready else 503)


async def _database(services: ServiceSet) -> str:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), services.database.transaction() as session:
            await session.execute(text("select 1"))
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        return type(error).__name__
    return "ok"


async def _temporal(services: ServiceSet) -> str:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await services.temporal.service_client.check_health(timeout=timedelta(seconds=PATIENCE_SECONDS))
    except (RPCError, RuntimeError, OSError, TimeoutError) as error:
        return type(error).__name__
    return "ok"
