"""The supervisor with programs that only live and die."""

import os
import sys

import pytest

from deploy.local.home import Home, InUse
from deploy.local.stack_file import NothingRuns, read, running
from deploy.local.supervisor import NotReady, Program, Supervisor
from tests.deploy.running import eventually

LIVES = ("sleep", "300")
DIES = ("sh", "-c", "echo cannot >&2; exit 3")


@pytest.fixture
def said():
    return []


@pytest.fixture
def supervisor(tmp_path, said):
    with Supervisor(Home(tmp_path), say=said.append) as supervisor:
        yield supervisor


def a_program(name="broker", command=LIVES):
    return Program(name=name, command=command, environment=os.environ, port=1)


def test_what_dies_starts_again_later_and_later(supervisor, said):
    supervisor.start(a_program(command=DIES))

    supervisor.wait(lambda: len(said) == 3)
    assert said == [f"broker    died (exit code 3), starts again in {pause} s" for pause in (0.2, 0.4, 0.8)]


def test_nobody_waits_for_what_dies_again_and_again(supervisor):
    supervisor.start(a_program(command=DIES))

    with pytest.raises(NotReady, match=r"broker does not get ready; see .*/logs/broker.log"):
        supervisor.wait_for("broker", lambda: False, within=30)
    assert supervisor.home.log("broker").read_text().startswith("cannot\n")


def test_nobody_waits_for_ever_for_what_lives_but_is_not_ready(supervisor):
    supervisor.start(a_program())

    with pytest.raises(NotReady):
        supervisor.wait_for("broker", lambda: False, within=0.2)


def test_stages_stop_in_the_opposite_order(supervisor, tmp_path):
    ends = tmp_path / "ends"
    tells = 'import signal, sys; signal.signal(15, lambda *_: (open(sys.argv[1], "a").write(sys.argv[2]), sys.exit()))'
    program = f"{tells}; open(sys.argv[1] + sys.argv[2], 'w'); signal.pause()"
    for name in ("a", "b", "c"):
        supervisor.start(a_program(name, (sys.executable, "-c", program, str(ends), name)))
    eventually(lambda: all((tmp_path / f"ends{name}").exists() for name in "abc"))

    supervisor.stop()
    assert ends.read_text() == "cba"


def test_the_stack_is_written_down_while_it_runs_and_not_after(supervisor):
    supervisor.start(a_program())

    part = running(supervisor.home).part("broker")
    assert part.command == LIVES
    assert part.process.is_alive
    with pytest.raises(LookupError):
        running(supervisor.home).part("database")

    supervisor.stop()
    assert read(supervisor.home) is None
    assert not part.process.is_alive
    with pytest.raises(NothingRuns):
        running(supervisor.home)


def test_a_command_that_is_attended_hands_on_its_exit_code(supervisor, said):
    supervisor.start(a_program())

    assert supervisor.run("sh", "-c", "exit 5") == 5
    assert said == []


def test_a_home_is_claimed_once(tmp_path):
    with Home(tmp_path).claimed(), pytest.raises(InUse), Home(tmp_path).claimed():
        pass
    with Home(tmp_path).claimed():
        pass
