"""What reached the sandbox, for bounds on ERP calls."""

from collections import Counter


class Calls:
    """Counts requests (HTTP) and operations (the functions inside them)."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.reset()

    def reset(self) -> None:
        """Forget all counts; requests under way stay in flight."""
        self.requests = 0
        self.max_in_flight = self.in_flight
        self.by_operation: Counter[str] = Counter()
        self.by_object: Counter[str] = Counter()
        self.seconds = 0.0

    def arrived(self) -> None:
        """A request came in."""
        self.requests += 1
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)

    def left(self) -> None:
        """Its answer went out, or its connection was cut."""
        self.in_flight -= 1

    def took(self, seconds: float) -> None:
        """An answer took so long to make."""
        self.seconds += seconds

    def operation(self, name: str, object_name: str = "") -> None:
        """One function of a request."""
        self.by_operation[name] += 1
        if object_name:
            self.by_object[f"{name} {object_name}"] += 1

    def describe(self) -> dict[str, object]:
        """What `GET /sandbox/calls` shows."""
        return {
            "total": self.by_operation.total(),
            "requests": self.requests,
            "by_operation": dict(sorted(self.by_operation.items())),
            "by_object": dict(sorted(self.by_object.items())),
            "in_flight": self.in_flight,
            "max_in_flight": self.max_in_flight,
            "seconds": self.seconds,
        }
