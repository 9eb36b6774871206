"""The cache of current reads: one read for all who ask at once, and nothing kept of a read that failed."""

import eventlet
import pytest
from eventlet.event import Event as Signal

from gateway.reporting.cache import Cache
from services.chassis.problem import Unavailable


class SlowRead:
    """A read that ends when it is told to, and counts how often it was begun."""

    def __init__(self, *outcomes):
        self._outcomes, self.begun, self.may_end = list(outcomes), 0, Signal()

    def __call__(self):
        self.begun += 1
        outcome = self._outcomes.pop(0)
        self.may_end.wait()
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


@pytest.fixture
def cache():
    return Cache()


def ask_at_once(cache, read, *, times=5):
    asking = [eventlet.spawn(cache.current, "K2", read) for _ in range(times)]
    eventlet.sleep(0)
    return asking


def test_those_who_ask_at_once_share_one_read(cache):
    read = SlowRead(7)
    asking = ask_at_once(cache, read)

    read.may_end.send()

    assert [thread.wait() for thread in asking] == [7] * 5
    assert read.begun == 1
    assert cache.current("K2", read) == 7


def test_who_asks_after_something_was_taken_in_does_not_share_the_read_before(cache):
    read = SlowRead("before", "after")
    (early,) = ask_at_once(cache, read, times=1)
    cache.clear()
    (late,) = ask_at_once(cache, read, times=1)

    read.may_end.send()

    assert (early.wait(), late.wait()) == ("before", "after")
    assert cache.current("K2", read) == "after"


def test_an_error_is_for_all_who_waited_and_for_nobody_who_comes_later(cache):
    read = SlowRead(Unavailable(), 7)
    asking = ask_at_once(cache, read)
    read.may_end.send()

    for thread in asking:
        with pytest.raises(Unavailable):
            thread.wait()
    assert cache.current("K2", read) == 7
    assert read.begun == 2


def test_a_read_whose_thread_is_killed_leaves_nobody_waiting(cache):
    read = SlowRead(7)
    first, *others = ask_at_once(cache, read)

    first.kill()

    for thread in others:
        with pytest.raises(Unavailable):
            thread.wait()
