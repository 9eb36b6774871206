"""The door: the outside systems of a list, each served apart from the others."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import eventlet
import msgspec
from structlog import get_logger

from gateway.door import metrics
from gateway.door.events import Events
from gateway.door.publisher import Publisher
from gateway.door.requests import Requests
from gateway.door.systems import Grant, Systems, SystemsFile
from services.chassis.client import Caller
from services.chassis.loop import Loop
from services.chassis.provider import Provider
from services.chassis.settings import Settings, WrongSettings
from services.chassis.tokens import DelegatedTokens

LOOK = 1.0  # seconds between two looks at the list

log = get_logger()


class Bureau:
    """All that runs for one system, on connections of its own."""

    def __init__(
        self, settings: Settings, system: str, grant: Grant, *, caller: Caller, tokens: DelegatedTokens
    ) -> None:
        self.system, self.grant = system, grant
        self._publisher = Publisher(settings, system)
        self._requests = Requests(settings, system, grant, caller=caller, tokens=tokens, publisher=self._publisher)
        self._events = Events(settings, system, grant, publisher=self._publisher) if grant.hears else None

    @property
    def is_connected(self) -> bool:
        """True while the system's virtual host is reached."""
        return self._requests.link.is_up and self._publisher.link.is_up

    def start(self, container: Any) -> None:
        """Serve the system from now on."""
        spawn = partial(container.spawn_managed_thread, identifier=f"door.{self.system}")
        self._reading = [spawn(self._publisher.link.run), spawn(self._requests.link.run)]
        if self._events:
            self._reading.append(spawn(self._events.link.run))
            self._carrying = spawn(self._events.run)

    def stop(self) -> None:
        """Settle what is at hand, and close."""
        if self._events:
            self._events.stop()
            self._carrying.wait()
            self._events.link.stop()
        self._requests.stop()
        self._publisher.link.stop()
        for thread in self._reading:
            thread.wait()
        metrics.forget(self.system)


class Bureaus(Provider[Any]):
    """The systems of the list, which is read again when it changes: without a restart they come, change and go."""

    def bind(self, container: Any, attr_name: str) -> Any:
        """Check the settings at once; raises `WrongSettings`."""
        settings: Settings = container.config["SETTINGS"]
        for name in ("door_systems", "token_private_key"):
            if not getattr(settings, name):
                raise WrongSettings(f"{name.upper()}: the door needs it")
        return super().bind(container, attr_name)

    def setup(self) -> None:
        """Read the settings."""
        self._settings = settings = self.container.config["SETTINGS"]
        self._file = SystemsFile(Path(settings.door_systems))
        self._tokens = DelegatedTokens(settings.token_private_key)
        self._caller = Caller(settings, "door.caller")
        self._bureaus: dict[str, Bureau] = {}
        self._loop = Loop("systems", self._look, seconds=LOOK, at_once=True)

    def start(self) -> None:
        """Connect, and look at the list every second."""
        health = self.container.config["HEALTH"]
        health.needs.append(self._missing)
        health.shows.append(self._show)
        self._calling = self.container.spawn_managed_thread(self._caller.link.run, identifier="caller")
        self._loop.start(self.container)

    def stop(self) -> None:
        """Settle what is at hand of all systems, and close."""
        self._loop.stop()
        self._close(list(self._bureaus.values()))
        self._caller.link.stop()
        self._calling.wait()

    def provide(self) -> Any:
        """Return the systems that are served."""
        return self._bureaus

    def _look(self) -> None:
        try:
            systems = self._file.changed()
        except msgspec.MsgspecError as error:
            log.error("the list of systems cannot be read; the last one stays", error=str(error)[:200])
            return
        if systems is not None:
            self._serve(systems)

    def _serve(self, systems: Systems) -> None:
        others = [one for one in self._bureaus.values() if systems.get(one.system) != one.grant]
        self._close(others)
        for system, grant in systems.items():
            if system not in self._bureaus:
                one = Bureau(self._settings, system, grant, caller=self._caller, tokens=self._tokens)
                self._bureaus[system] = one
                one.start(self.container)
        log.info("systems", served=sorted(self._bureaus))

    def _close(self, bureaus: list[Bureau]) -> None:
        for closing in [eventlet.spawn(one.stop) for one in bureaus]:
            closing.wait()
        for one in bureaus:
            del self._bureaus[one.system]

    def _missing(self) -> list[str]:
        return [] if self._caller.link.is_up else ["door: broker"]

    def _show(self) -> None:
        for one in self._bureaus.values():
            metrics.CONNECTED.labels(one.system).set(one.is_connected)


class Door:
    """Outside systems call and hear through it; nobody calls it."""

    name = "door"

    bureaus = Bureaus()
