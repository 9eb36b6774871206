"""Health of the process, for the endpoints that orchestrators and Prometheus ask."""

from __future__ import annotations

from services.chassis.health import Health
from services.chassis.provider import Provider


class HealthProvider(Provider[Health]):
    """Provides the process's `Health`."""

    def provide(self) -> Health:
        return self.container.config["HEALTH"]
