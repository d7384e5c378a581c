"""Make failures that people can read in Temporal: what happened, without the trace of how our code learnt of it.

Temporal shows the last failure of an activity that is tried again only while all of it fits into four kilobytes; else
it shows "Failure exceeds size limit.". A trace of ours alone is longer. A failure that our code names says all in its
message and details; any other one keeps the end of its trace, where the fault is.
"""

from temporalio.api.failure.v1 import Failure
from temporalio.converter import DefaultFailureConverter, PayloadConverter
from temporalio.exceptions import ApplicationError

LONGEST_TRACE = 1_500
"""How many characters of a trace a failure keeps."""


class ReadableFailures(DefaultFailureConverter):
    """The SDK's failure converter with short traces."""

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        """Convert an exception, and leave out what nobody reads."""
        super().to_failure(exception, payload_converter, failure)
        if isinstance(exception, ApplicationError) and exception.details:
            failure.stack_trace = ""
            failure.ClearField("cause")  # the ERP's error, which says the same again
            return
        inner = failure
        while True:
            inner.stack_trace = inner.stack_trace[-LONGEST_TRACE:]
            if not inner.HasField("cause"):
                return
            inner = inner.cause
