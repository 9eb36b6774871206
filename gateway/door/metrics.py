"""Metrics of the door, each by system."""

from __future__ import annotations

from contextlib import suppress

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("kexie_door_requests", "Requests of outside systems, by outcome.", ["system", "outcome"])
SECONDS = Histogram(
    "kexie_door_seconds", "Time from taking a request of an outside system to its answer.", ["system"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)  # fmt: skip
UNANSWERED = Counter(
    "kexie_door_unanswered", "Answers that no queue took, and requests without an address.", ["system"]
)
CARRIED = Counter("kexie_door_events_carried", "Events brought to outside systems, confirmed.", ["system"])
CONNECTED = Gauge("kexie_door_connected", "1 while the virtual host of a system is reached.", ["system"])


def forget(system: str) -> None:
    """Show no more whether a system is connected that is not served any more."""
    with suppress(KeyError):
        CONNECTED.remove(system)
