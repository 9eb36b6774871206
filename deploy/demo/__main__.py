"""`python -m deploy.demo`: fill the running stack with the demo year and print what the plan says of it."""

import eventlet

eventlet.monkey_patch()

import sys  # noqa: E402

from deploy.demo.filling import fill  # noqa: E402

sys.exit(fill())
