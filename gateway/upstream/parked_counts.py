"""Counts of the dead letters of every service, polled in the background."""

from __future__ import annotations

from nameko.extensions import SharedExtension


class ParkedCounts(SharedExtension):
    """How many messages wait for an operator at the services, as each of them said last; one without any is not there.

    The service proxy polls them, the query service reports them with its numbers.
    """

    def __init__(self) -> None:
        self.messages: dict[str, int] = {}  # there before anybody is set up: nameko does that in any order

    def hear(self, service: str, messages: int) -> None:
        if messages:
            self.messages[service] = messages
        else:
            self.messages.pop(service, None)
