"""Loops in the background survive what goes wrong, and end when they are told to."""

import eventlet
import pytest
import structlog
from pymongo.errors import AutoReconnect

from services.chassis.loop import Loop
from services.chassis.problem import Unavailable
from tests.stack import until

OFTEN, NEVER = 0.001, 3_600.0  # seconds


class Container:
    """The part of nameko's container that a loop needs."""

    def spawn_managed_thread(self, run, identifier):  # noqa: ARG002 - nameko's signature
        return eventlet.spawn(run)


class Rounds:
    """Counts its rounds, and raises the errors that it was given in the first ones."""

    def __init__(self, *errors):
        self.errors, self.done = list(errors), 0

    def __call__(self):
        self.done += 1
        if self.errors:
            raise self.errors.pop(0)


@pytest.fixture
def loops():
    """A way to start loops, which are killed after the test."""
    started = []

    def start(do, **given):
        started.append(Loop("test", do, **given))
        started[-1].start(Container())
        return started[-1]

    yield start
    for loop in started:
        loop.kill()


def test_it_is_done_again_and_again(loops):
    rounds = Rounds()
    loops(rounds, seconds=OFTEN)

    until(lambda: rounds.done > 2)


@pytest.mark.parametrize("error", [Unavailable(), AutoReconnect("away"), RuntimeError("ours"), AssertionError()])
def test_no_error_ends_it(loops, error):
    rounds = Rounds(error, error)
    loops(rounds, seconds=OFTEN)

    until(lambda: rounds.done > 3)


def test_the_first_round_is_at_once_or_after_a_wait(loops):
    at_once, later = Rounds(), Rounds()
    loops(later, seconds=NEVER)
    loops(at_once, seconds=NEVER, at_once=True)

    until(lambda: at_once.done)
    assert (at_once.done, later.done) == (1, 0)


def test_an_outage_is_one_line_and_each_of_our_mistakes_is_one(loops):
    away, mistake = Unavailable(), RuntimeError("ours")
    rounds = Rounds(away, away, mistake, mistake, AutoReconnect("away"))
    with structlog.testing.capture_logs() as lines:
        loops(rounds, seconds=OFTEN)
        until(lambda: rounds.done > 5)

    assert [(line["event"], line["error"], line["loop"]) for line in lines] == [
        ("loop waits", "Unavailable", "test"),
        ("malfunction", "RuntimeError", "test"),
        ("malfunction", "RuntimeError", "test"),
        ("loop waits", "AutoReconnect", "test"),
    ]


def test_an_outage_after_a_good_round_is_told_again(loops):
    fine, done = [False, True, False], []

    def do():
        done.append(1)
        if fine and not fine.pop(0):
            raise Unavailable()

    with structlog.testing.capture_logs() as lines:
        loops(do, seconds=OFTEN)
        until(lambda: len(done) > 3)

    assert [line["event"] for line in lines] == ["loop waits", "loop waits"]


def test_to_stop_lets_the_round_at_hand_end_and_begins_none(loops):
    begun, go_on, ended = eventlet.Event(), eventlet.Event(), []

    def do():
        begun.send()
        go_on.wait()
        ended.append(loop.is_stopping)

    loop = loops(do, seconds=OFTEN, at_once=True)
    begun.wait()
    stopping = eventlet.spawn(loop.stop)
    until(lambda: loop.is_stopping)
    assert not ended

    go_on.send()
    stopping.wait()
    assert ended == [True]


def test_to_stop_does_not_wait_for_the_next_round(loops):
    rounds = Rounds()
    loop = loops(rounds, seconds=NEVER)

    loop.stop()

    assert rounds.done == 0


def test_to_kill_cuts_the_round_at_hand_short(loops):
    begun, ended = eventlet.Event(), []

    def do():
        begun.send()
        eventlet.Event().wait()
        ended.append(True)

    loop = loops(do, seconds=OFTEN, at_once=True)
    begun.wait()
    loop.kill()
    loop.stop()  # it has nothing left to wait for

    assert not ended


def test_one_that_was_stopped_before_it_was_started_does_nothing():
    rounds = Rounds()
    loop = Loop("test", rounds, seconds=OFTEN, at_once=True)

    loop.stop()
    loop.start(Container())
    loop.start(Container())

    loop.stop()
    assert rounds.done == 0
