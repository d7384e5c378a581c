"""Run activities twice, as when their first answer was lost on its way to Temporal."""

from dataclasses import dataclass, field
from typing import Any

from temporalio import activity
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput
from temporalio.worker import Interceptor as WorkerInterceptor


@dataclass
class RepeatedActivities(ClientInterceptor, WorkerInterceptor):
    """Runs each activity that succeeds once more, while it is `on`; the second answer is the one that counts."""

    on: bool = False
    names: set[str] = field(default_factory=set)
    """Which ran twice."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Repeating(next, self)


class _Repeating(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, repeated: RepeatedActivities) -> None:
        super().__init__(next)
        self._repeated = repeated

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        answer = await self.next.execute_activity(input)
        if self._repeated.on:
            answer = await self.next.execute_activity(input)
            self._repeated.names.add(activity.info().activity_type)
        return answer
