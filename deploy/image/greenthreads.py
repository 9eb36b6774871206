"""Import this before anything else in a process that runs greenthreads: it makes the standard library cooperative.

nameko needs eventlet, which warns at every import that it gets fixes only; that warning is silenced here.
"""

import os
import warnings

os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")  # its resolver and pymongo's exclude each other
warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")

import eventlet  # noqa: E402

eventlet.monkey_patch()
