"""Programs of outside systems that have nothing of ours, each in a process of its own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def learnt_by(program, office, folder):
    """The lines that a program prints, run where there is nothing of this repository."""
    shutil.copy(HERE / program, folder)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {
        "AMQP_URI": office.uri, "TOKEN": office.token, "PYTHONWARNINGS": "ignore",
    }  # fmt: skip
    told = folder / "told"
    with told.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, program], cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    assert process.wait(timeout=50) == 0, told.read_text()
    return {name: value for line in told.read_text().splitlines() for name, value in json.loads(line).items()}


@pytest.mark.timeout(90)
def test_a_service_of_stock_nameko_calls_from_another_one_and_hears(office, tmp_path):
    learnt = learnt_by("stock_nameko.py", office, tmp_path)

    assert learnt == {"registered": learnt["registered"], "heard": learnt["registered"]}


@pytest.mark.timeout(90)
def test_a_program_in_pika_calls_with_an_anonymous_queue_and_with_direct_reply_to_and_hears(office, tmp_path):
    learnt = learnt_by("stock_pika.py", office, tmp_path)

    made = learnt["registered"]
    assert learnt == {"registered": made, "version": 1, "refused": "NotAllowed", "heard": made}
