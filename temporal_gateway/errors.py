"""Define the errors of calling Temporal; `api/http` turns them into HTTP problems."""


class GatewayError(Exception):
    """Temporal did not answer. Nothing is lost: repeating the request takes up where it stands."""

    code = "TEMPORAL_UNAVAILABLE"


class TemporalUnavailable(GatewayError):
    """There is no connection to Temporal."""
