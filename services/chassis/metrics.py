"""Metrics of a process, for Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram, Info

COMMANDS = Counter("kexie_commands", "Commands and queries answered, by outcome.", ["service", "method", "outcome"])
SECONDS = Histogram(
    "kexie_command_seconds", "Time from taking a command off its queue to its answer.", ["service"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)  # fmt: skip
BUILD = Info("kexie_build", "The release that this process runs.")
READY = Gauge("kexie_ready", "1 while the service can work, 0 while `/ready` lists something missing.", ["service"])
PUBLISHED = Counter("kexie_events_published", "Events published and confirmed.", ["service"])
RELAY_FAILURES = Counter("kexie_relay_failures", "Failed passes of the relay, which are repeated.", ["service"])
PENDING = Gauge("kexie_pending_records", "Records with something unpublished (up to 20,000 per kind).", ["service"])
OLDEST_PENDING = Gauge(
    "kexie_oldest_pending_seconds", "Seconds for which the oldest pending record has not moved.", ["service"]
)
UNHEARD = Counter(
    "kexie_rpc_unheard", "Requests without a reply address, by outcome; most are dropped.", ["service", "outcome"]
)
HANDLED = Counter("kexie_events_handled", "Events handled or parked, by outcome.", ["service", "queue", "outcome"])
PERSONAL_READS = Counter("kexie_personal_reads", "Records of which personal fields were read.", ["service", "kind"])
PARKED = Gauge("kexie_parked_messages", "Parked events (dead letters) that are not settled.", ["service"])
PARKED_ALARMS = Gauge("kexie_parked_alarms", "Parked messages that only an operator can settle.", ["service"])
