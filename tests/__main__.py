"""pytest in a process that is cooperative from its first line on: `python -m tests`, as `./kexie test` does."""

import deploy.image.greenthreads  # noqa: F401, I001 - before anything else

import sys

import pytest

sys.exit(pytest.main(sys.argv[1:]))
