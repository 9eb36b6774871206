"""`python -m deploy.demo`: fill the running stack with the demo year and print the plan's numbers."""

import deploy.image.greenthreads  # noqa: F401, I001 - before anything else

import sys

from deploy.demo.filling import fill

sys.exit(fill())
