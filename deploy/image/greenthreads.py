"""Import this before anything else in a process that runs greenthreads: it makes the standard library cooperative.

nameko stands on eventlet, whose maintainers warn at every import that it gets fixes only; that warning is hushed here.
"""

import os
import warnings

os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")  # its own resolver and pymongo's do not go together
warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")

import eventlet  # noqa: E402

eventlet.monkey_patch()
