"""`python -m deploy.run SERVICE...`: serve these services in one process; the entry point of every container."""

import deploy.image.greenthreads  # noqa: F401, I001 - before anything else

import sys

from deploy.image.service_classes import HOMES, service_class
from services.chassis.run import serve


def main(names: list[str]) -> int:
    """Serve until a signal and return the exit code; 2 where a service is not known."""
    if not names or not set(names) <= set(HOMES):
        sys.stderr.write(f"usage: kexie run SERVICE...  (services: {', '.join(HOMES)})\n")
        return 2
    return serve([service_class(name) for name in names])


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.exit(code)
