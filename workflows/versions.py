"""Let running workflows survive a change of their code: patches, and which build runs which workflow.

A change of the commands that a workflow sends (activities, timers, children, signals) is a patch: one named function
here that returns `workflow.patched(name)`. Old histories take the old path, new runs the new one. A test allows
`workflow.patched` in no other file, and `tests/workflows/test_versions.py` shows how a patch is proved. No patch is in
use: none is needed before the first release, whose histories will be kept.

With a build id (`POSYNC_BUILD_ID`) workers are versioned: a sync run ends on the build it started on, and everything
that lives longer than a release moves to the current build with its next task. Nothing runs on a build before `posync
deployment set-current` has named it.
"""

from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import WorkerDeploymentConfig

DEPLOYMENT = "posync"
"""The name of the worker deployment; its versions are the build ids."""

ENDS_ON_ITS_BUILD = VersioningBehavior.PINNED
"""For workflows of minutes or hours: sync runs."""

MOVES_TO_THE_CURRENT_BUILD = VersioningBehavior.AUTO_UPGRADE
"""For workflows of weeks or months: orders, bills, payments."""


def deployment_config(build_id: str | None) -> WorkerDeploymentConfig | None:
    """Return the deployment options of a worker of this build, or None without a build id: workers are then not
    versioned."""
    if build_id is None:
        return None
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(deployment_name=DEPLOYMENT, build_id=build_id), use_worker_versioning=True
    )
