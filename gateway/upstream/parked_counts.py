"""Counts of parked messages (dead letters) at every service, as each of them reported last."""

from __future__ import annotations

from nameko.extensions import SharedExtension


class ParkedCounts(SharedExtension):
    """The number of messages that wait for an operator, by service; a service without any is not listed.

    The service proxy asks for them, and the query service takes them into account.
    """

    def __init__(self) -> None:
        self.messages: dict[str, int] = {}  # from the beginning: nameko sets extensions up in any order

    def note(self, service: str, messages: int) -> None:
        """Note what a service reported."""
        if messages:
            self.messages[service] = messages
        else:
            self.messages.pop(service, None)
