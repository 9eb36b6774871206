"""The process's own health, for the gateway's endpoints."""

from __future__ import annotations

from typing import Any

from nameko.extensions import DependencyProvider

from services.chassis.health import Health


class HealthProvider(DependencyProvider):
    """Gives the gateway what its process says of its health."""

    def get_dependency(self, worker_ctx: Any) -> Health:  # noqa: ARG002 - nameko's signature
        return self.container.config["HEALTH"]
