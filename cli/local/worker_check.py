"""Check whether a worker of this machine serves: ask the database, which has the workers' signs of life, and Temporal,
which knows who polls its queues.

The Temporal SDK is imported where it is used: most commands start faster than it loads.
"""

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from settings import Settings


class WorkerNotServing(Exception):
    """No worker of this machine serves as it should. The message is one line that says why."""


async def check_worker(settings: "Settings", *, host: str | None = None) -> tuple[str, ...]:
    """Return the task queues that workers of this host serve, if those are all that the settings ask for.

    Raises:
        WorkerNotServing: no worker of this host polls one of the queues, or its event loop hangs.
        DatabaseUnreachable: the database cannot be used.
        TemporalUnreachable: Temporal does not answer.
        InvalidSettings: POSYNC_QUEUES names a queue that does not exist.
    """
    from temporalio.service import RPCError

    from models.store.base import workers
    from models.store.base.database import Database, reachable
    from settings import TemporalUnreachable, temporal_client
    from temporal_gateway.pollers import queues_without_poller
    from worker import served_queues

    queues = served_queues(settings)
    database = Database(settings.database_url, pool_size=1)
    try:
        await database.check()
        with reachable(settings.database_url):
            async with database.statement() as session:
                silent = await workers.silent(session)
    finally:
        await database.close()
    client = await temporal_client()
    name = host or socket.gethostname()
    try:
        idle = await queues_without_poller(client, queues, but=silent, host=name)
    except RPCError as error:
        message = " ".join(error.message.split())
        raise TemporalUnreachable(f"Temporal does not tell who serves {', '.join(queues)}: {message}") from error
    if idle:
        hanging = sorted(set(idle) - set(await queues_without_poller(client, idle, host=name)))
        if hanging:
            raise WorkerNotServing(
                f"the worker of {name} that serves {', '.join(hanging)} gives no sign of life: restart it"
            )
        raise WorkerNotServing(f"no worker of {name} serves {', '.join(idle)}: start one with `posync worker`")
    return queues
