"""What is kept of a database for so many seconds, read anew by one of those who ask and not by all of them at once."""

from collections.abc import Callable
from time import monotonic


class PeriodicRead:
    """Calls `read` where it was last called at least `seconds` ago; those who ask meanwhile use what is known."""

    def __init__(self, read: Callable[[], object], *, seconds: float) -> None:
        self._read, self._seconds = read, seconds
        self._due_at = 0.0

    def if_due(self) -> None:
        """Read where it is time; what `read` raises goes to this caller, and the next one tries again."""
        if monotonic() >= self._due_at:
            self.at_once()

    def at_once(self) -> None:
        """Read now, whenever it was last read."""
        self._due_at = monotonic() + self._seconds
        try:
            self._read()
        except BaseException:
            self.expire()
            raise

    def expire(self) -> None:
        """Have the next caller read, also after a read that is under way, since what is known is known to be wrong."""
        self._due_at = 0.0
