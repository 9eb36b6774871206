"""The toy service as a process, beside services of ours that are named: `python -m tests.chassis.toy_process`."""

import eventlet

eventlet.monkey_patch()

import sys  # noqa: E402

from deploy.run import service_class  # noqa: E402
from services.chassis.run import serve  # noqa: E402
from tests.chassis.toy import Toy  # noqa: E402

if __name__ == "__main__":
    sys.exit(serve([*map(service_class, sys.argv[1:]), Toy]))
