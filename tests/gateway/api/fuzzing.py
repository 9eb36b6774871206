"""Random requests, in every role, are answered as the OpenAPI document describes: a part of them for each module.

Each module runs in a process of its own beside the others: one alone would end long after all other tests.
"""

import json
import os
import subprocess
import sys

from gateway.http.server import Server
from services.chassis.tokens import ROLES
from tests.gateway.everything import everything

SECONDS = int(os.environ.get("FUZZ_SECONDS", "0"))  # 0: once through all operations
SEED = int(os.environ.get("FUZZ_SEED", "2011"))
FEWEST = 50  # operations of a part
LIMIT = 600 + SECONDS  # seconds
PARTS = ("/api/v1/awards/", "/api/v1/(outreach|rural|members)/", "(?!/api/v1/(awards|outreach|rural|members)/)")


def fuzz(addresses, keys, part):
    """Send requests to all operations whose address begins in this way; fails where an answer is not as described."""
    with everything(addresses, keys) as gateway:
        url = f"http://127.0.0.1:{gateway.extension(Server).port}"
        tokens = [f"--token={role}={gateway.running.token(f'u-{role}', [role])}" for role in ROLES]
        asked = (f"--seconds={SECONDS}", f"--seed={SEED}", f"--part={part}")

        told = subprocess.run(
            (sys.executable, "-m", "tests.gateway.api.fuzz", url, *asked, *tokens),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip

        assert told.returncode == 0, f"{told.stdout}\n{told.stderr[-3_000:]}"
        assert json.loads(told.stdout)["operations"] >= FEWEST
