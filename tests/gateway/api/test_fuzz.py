"""Random requests, in every role, are answered as the OpenAPI document describes."""

import os
import subprocess
import sys

import pytest

from gateway.http.server import Server
from services.chassis.tokens import ROLES
from tests.gateway.everything import everything

SECONDS = int(os.environ.get("FUZZ_SECONDS", "0"))  # 0: once through all operations
SEED = int(os.environ.get("FUZZ_SEED", "2011"))


@pytest.mark.timeout(600 + SECONDS)
def test_no_answer_is_undocumented_in_any_role(addresses, keys):
    with everything(addresses, keys) as gateway:
        url = f"http://127.0.0.1:{gateway.extension(Server).port}"
        tokens = [f"--token={role}={gateway.running.token(f'u-{role}', [role])}" for role in ROLES]

        told = subprocess.run(
            (sys.executable, "-m", "tests.gateway.api.fuzz", url, f"--seconds={SECONDS}", f"--seed={SEED}", *tokens),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip

        assert told.returncode == 0, f"{told.stdout}\n{told.stderr[-3_000:]}"
