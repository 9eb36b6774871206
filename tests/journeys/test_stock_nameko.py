"""Another bureau's program needs nothing of ours: stock nameko, an address and a token."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from services.outreach.service import Outreach

PROGRAM = Path(__file__).with_name("stock_program.py")


@pytest.mark.timeout(90)
def test_a_stock_nameko_program_calls_the_services_and_hears_the_events(running, tmp_path):
    running.start(Outreach)

    learnt = run_elsewhere(running, tmp_path)

    assert learnt == [
        {"error": "NotAllowed", "says": learnt[0]["says"]},
        {"state": "verified", "version": 2},
        {"listed": 1},
        {"heard": learnt[3]["heard"], "person_times": 120, "by": "u-wang"},
    ]
    assert learnt[0]["says"].startswith("not_allowed: ")


def run_elsewhere(running, folder):
    """The program in a folder where there is nothing of this repository; the lines that it prints, in their order."""
    shutil.copy(PROGRAM, folder)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {
        "AMQP_URI": running.settings.amqp_uri,
        "RECORDER_TOKEN": running.token("u-li", ["recorder"]),
        "VERIFIER_TOKEN": running.token("u-wang", ["verifier"]),
        "PYTHONWARNINGS": "ignore",
    }
    program = subprocess.run(
        [sys.executable, PROGRAM.name], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert program.returncode == 0, program.stderr
    lines = [json.loads(line) for line in program.stdout.splitlines()]
    return sorted(lines, key=lambda line: "heard" in line)
