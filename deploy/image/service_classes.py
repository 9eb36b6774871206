"""The class of each service, and the methods that others may call."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import deploy.image.greenthreads  # noqa: F401 - before anything else
from services.chassis.rpc import Method
from services.contract.topology import SERVICES

HOMES = {name: f"services.{name}.service" for name in SERVICES} | {
    "gateway": "gateway.service",
    "door": "gateway.door.service",
}


def service_class(name: str) -> type:
    """Import and return the class of a service or of the gateway."""
    module = importlib.import_module(HOMES[name])
    (service,) = [cls for cls in vars(module).values() if isinstance(cls, type) and getattr(cls, "name", None) == name]
    return service


def methods() -> dict[str, Method]:
    """Return the methods of the four services by their names, like `rural.list_associations`."""
    return {f"{name}.{word}": method for name in SERVICES for word, method in _methods_of(service_class(name))}


def _methods_of(cls: type) -> Iterator[tuple[str, Method]]:
    for name in dir(cls):  # its groups of commands are classes of their own
        for entrypoint in getattr(getattr(cls, name), "nameko_entrypoints", ()):
            if isinstance(entrypoint, Method):
                yield name, entrypoint
