"""The process's own health, for the gateway's endpoints."""

from __future__ import annotations

from services.chassis.health import Health
from services.chassis.provider import Provider


class HealthProvider(Provider[Health]):
    """Gives the gateway what its process says of its health."""

    def provide(self) -> Health:
        return self.container.config["HEALTH"]
