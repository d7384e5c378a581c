"""`posync deployment`: show and set which build of the workers runs workflows, if workers are versioned
(`POSYNC_BUILD_ID`)."""

import asyncio
from typing import Annotated

import typer

from cli.client.terminal import console, table

app = typer.Typer(no_args_is_help=True, help="Builds of versioned workers: show them, make one current.")

BuildId = Annotated[str, typer.Argument(help="The POSYNC_BUILD_ID of workers that are running.")]


@app.command("set-current")
def set_current(build_id: BuildId) -> None:
    """Make a build current: new workflows start on it, and long-lived ones move to it with their next task."""
    refusal = asyncio.run(_set_current(build_id))
    if refusal is not None:
        console.print(f"Build {build_id} was not made current: {refusal}", style="red", soft_wrap=True)
        console.print("Start a worker with this POSYNC_BUILD_ID first, then repeat the command.", soft_wrap=True)
        raise typer.Exit(1)
    console.print(f"Build {build_id} is current.")


@app.command("show")
def show() -> None:
    """Show the builds that workers were started with."""
    builds = table("Builds", "build id", "state")
    for build_id, state in asyncio.run(_builds()):
        builds.add_row(build_id, state)
    console.print(builds)


async def _set_current(build_id: str) -> str | None:
    """Make the build current. Return Temporal's reason if it refuses; None: the build is current."""
    from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
    from temporalio.service import RPCError, RPCStatusCode

    from settings import temporal_client
    from workflows.versions import DEPLOYMENT

    client = await temporal_client()
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace, deployment_name=DEPLOYMENT, build_id=build_id, identity="posync deployment"
    )
    try:
        await client.workflow_service.set_worker_deployment_current_version(request)
    except RPCError as error:
        if error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION):
            return error.message
        raise
    return None


async def _builds() -> list[tuple[str, str]]:
    """Return each build id with its state, current or not; empty if no versioned worker was ever started."""
    from temporalio.api.workflowservice.v1 import DescribeWorkerDeploymentRequest
    from temporalio.service import RPCError, RPCStatusCode

    from settings import temporal_client
    from workflows.versions import DEPLOYMENT

    client = await temporal_client()
    request = DescribeWorkerDeploymentRequest(namespace=client.namespace, deployment_name=DEPLOYMENT)
    try:
        result = (await client.workflow_service.describe_worker_deployment(request)).worker_deployment_info
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return []
        raise
    current = result.routing_config.current_deployment_version.build_id
    builds = [summary.deployment_version.build_id for summary in result.version_summaries]
    return [(build_id, "current" if build_id == current else "not current") for build_id in builds]
