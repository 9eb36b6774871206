"""What is served: the class of each service, and the methods that others may call."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import deploy.image.greenthreads  # noqa: F401 - before anything else
from services.chassis.rpc import Method
from services.contract.topology import SERVICES

HOMES = {name: f"services.{name}.service" for name in SERVICES} | {"gateway": "gateway.service"}


def service_class(name: str) -> type:
    """The service of that name."""
    module = importlib.import_module(HOMES[name])
    (found,) = [one for one in vars(module).values() if isinstance(one, type) and getattr(one, "name", None) == name]
    return found


def methods() -> dict[str, Method]:
    """Those of the four by their names, like `rural.list_associations`."""
    return {f"{name}.{method}": one for name in SERVICES for method, one in _methods_of(service_class(name))}


def _methods_of(cls: type) -> Iterator[tuple[str, Method]]:
    for name in dir(cls):  # its groups of commands are classes of their own
        for one in getattr(getattr(cls, name), "nameko_entrypoints", ()):
            if isinstance(one, Method):
                yield name, one
