"""Only what a run started is ended by the next one."""

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from deploy.errors import CommandFailed
from deploy.local import stack_file
from deploy.local.home import Home
from deploy.local.processes import end, process_of
from deploy.local.stack_file import NothingRuns, Part, Stack
from tests.deploy.running import eventually

SLEEPER = ("sleep", "300")
STUBBORN = (sys.executable, "-c", "import signal; signal.signal(15, signal.SIG_IGN); print(flush=True); signal.pause()")


@contextmanager
def running(*command):
    popen = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        yield popen
    finally:
        popen.kill()
        popen.wait()
        popen.stdout.close()


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


def a_part(process, *, stage=0):
    return Part(
        name="broker",
        stage=stage,
        process=process,
        command=SLEEPER,
        since=datetime(2011, 5, 14, tzinfo=UTC),
        port=1,
        health=False,
    )


def a_stack_of(process):
    """What a run wrote whose supervisor is gone since."""
    return Stack(supervisor=replace(process_of(os.getpid()), start=1), parts=(a_part(process),))


def test_what_a_crashed_run_left_is_ended(home):
    with running(*SLEEPER) as left:
        stack_file.write(a_stack_of(process_of(left.pid)), home)

        assert stack_file.clear_away(home) == ("broker",)
        assert left.wait(timeout=5) != 0
        assert stack_file.read(home) is None


@pytest.mark.parametrize("difference", [{"start": 1}, {"boot": "another"}])
def test_a_stranger_with_the_recorded_number_lives_on(home, difference):
    with running(*SLEEPER) as stranger:
        stack_file.write(a_stack_of(replace(process_of(stranger.pid), **difference)), home)

        assert stack_file.clear_away(home) == ()
        assert stranger.poll() is None


def test_a_process_that_ignores_sigterm_is_killed_after_its_grace():
    with running(*STUBBORN) as stubborn:
        stubborn.stdout.readline()

        end([process_of(stubborn.pid)], grace=0.2)
        assert stubborn.wait(timeout=5) == -9


def test_a_process_that_ended_is_not_alive_even_if_nobody_collected_it():
    with running("true") as brief:
        process = process_of(brief.pid)

        eventually(lambda: not process.is_alive)
        end([process])


def test_a_stack_whose_supervisor_is_gone_does_not_run(home):
    stack_file.write(a_stack_of(process_of(os.getpid())), home)

    with pytest.raises(NothingRuns):
        stack_file.running(home)


def test_a_part_that_started_again_takes_its_predecessors_place():
    ours = process_of(os.getpid())
    before = Stack(supervisor=ours, parts=(a_part(replace(ours, pid=1)),))

    assert before.having(a_part(ours)).parts == (a_part(ours),)


def test_a_file_that_is_not_ours_is_named(home):
    (home.folder / "stack.json").write_text("{}")

    with pytest.raises(CommandFailed, match=r"stack\.json cannot be read"):
        stack_file.read(home)
