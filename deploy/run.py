"""`python -m deploy.run SERVICE...`: these services in one process; the entry point of every container."""

import deploy.green  # noqa: F401, I001 - before anything else

import importlib
import sys

from services.chassis.run import serve
from services.contract.topology import SERVICES

HOMES = {name: f"services.{name}.service" for name in SERVICES} | {"gateway": "gateway.service"}


def service_class(name: str) -> type:
    """The service of that name."""
    module = importlib.import_module(HOMES[name])
    (found,) = [one for one in vars(module).values() if isinstance(one, type) and getattr(one, "name", None) == name]
    return found


def main(names: list[str]) -> int:
    if not names or not set(names) <= set(HOMES):
        sys.stderr.write(f"usage: kexie run SERVICE...  (services: {', '.join(HOMES)})\n")
        return 2
    return serve([service_class(name) for name in names])


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.exit(code)
