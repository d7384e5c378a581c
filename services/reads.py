"""Count the reads that an ERP meters, in this process, until they are stored."""


class CountedReads:
    """The reads of one connector that are not stored yet."""

    def __init__(self) -> None:
        self._reads = 0

    def count(self) -> None:
        """Count one successful read."""
        self._reads += 1

    def take(self) -> int:
        """Return the count, and begin anew."""
        reads, self._reads = self._reads, 0
        return reads
