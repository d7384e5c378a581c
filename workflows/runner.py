"""Build the two sandboxes that workflow code runs in: a strict one for tests and replay, a fast one for production.

The strict one imports `workflows/` again for each workflow and refuses what does not replay: the clock, random numbers,
files, the environment. That costs 4.7 ms of CPU for each start of a workflow (measured), so production passes our
modules through. Code that the strict one and `tests/workflows/test_determinism.py` accept is safe to pass through.
"""

import inspect

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import Info as WorkflowInfo

PASSED_THROUGH = ("activities", "erp", "matching", "models", "pydantic", "sqlalchemy", "sqlmodel")
"""Modules that neither sandbox imports again. Workflows share message classes with activities, and an enum that is
imported twice is two enums; nothing else of these packages runs inside a workflow."""

OWN_MODULES = (*PASSED_THROUGH, "workflows")
"""Modules that the fast sandbox does not import again."""

KNOWN_METHODS = frozenset({"activate", "get_serialization_context", "get_external_store_context", "get_info"})
"""The methods that `WithoutContext` answers. An SDK whose instances have other abstract methods gets its own runner
unchanged."""


def strict_runner() -> SandboxedWorkflowRunner:
    """Return the sandbox of tests and replay: nothing of `workflows/` is passed through."""
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH))


def fast_runner(*passed_through: str) -> SandboxedWorkflowRunner:
    """Return the sandbox of production workers; the modules passed through are ours unless others are named."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*(passed_through or OWN_MODULES))
    if not sdk_is_known():
        return SandboxedWorkflowRunner(restrictions=restrictions)
    return WithoutContextRunner(restrictions=restrictions)


def sdk_is_known(instance: type = WorkflowInstance, runner: type = SandboxedWorkflowRunner) -> bool:
    """Return whether the SDK's internals still have the shape that `WithoutContext` was written for."""
    abstract: frozenset[str] = getattr(instance, "__abstractmethods__", frozenset())
    create = getattr(runner, "create_instance", None)
    return (
        abstract == KNOWN_METHODS
        and create is not None
        and list(inspect.signature(create).parameters)
        == [
            "self",
            "det",
        ]
    )


class WithoutContext(WorkflowInstance):
    """A sandboxed workflow whose payloads are converted without regard to where they belong.

    For every payload the SDK asks the workflow for such a context, and each of these calls enters the sandbox: an
    eighth of the CPU of a lifecycle (`make bench`). Our converter uses no context (a test says so), so the answer is
    known outside.
    """

    def __init__(self, sandboxed: WorkflowInstance) -> None:
        self._sandboxed = sandboxed

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        """Run one activation inside the sandbox."""
        return self._sandboxed.activate(act)

    def get_serialization_context(self, command_info: object) -> None:
        return None

    def get_external_store_context(self, command_info: object) -> StorageDriverStoreContext:
        """Return an empty context: our converter uses none."""
        return StorageDriverStoreContext(target=None)

    def get_info(self) -> WorkflowInfo:
        """Return the sandboxed workflow's info."""
        return self._sandboxed.get_info()

    def get_thread_id(self) -> int | None:
        """Return the thread id of the sandboxed workflow."""
        return self._sandboxed.get_thread_id()


class WithoutContextRunner(SandboxedWorkflowRunner):
    """The SDK's sandbox, with the context of payloads answered outside of it."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Create the sandboxed workflow, wrapped so that its payloads need no context."""
        return WithoutContext(super().create_instance(det))
