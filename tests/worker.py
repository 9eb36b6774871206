"""One of the processes that share the tests out (pytest-xdist): cooperative from its first line on.

Locks and threads that were made before the standard library becomes so would wait for each other for ever.
"""

import deploy.image.greenthreads  # noqa: F401, I001 - before anything else

import os
import stat
import sys

cooperative = os.fdopen


def fdopen(fd, *args, **kwargs):
    """A cooperative file where that is possible: not of /dev/null, which takes the place of pytest's output here."""
    is_pipe = stat.S_ISFIFO(os.fstat(fd).st_mode)
    return cooperative(fd, *args, **kwargs) if is_pipe else open(fd, *args, **kwargs)


os.fdopen = fdopen
exec(sys.argv[-1])  # noqa: S102 - where execnet begins
