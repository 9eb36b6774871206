"""Reads that one of those who ask makes for all."""

import eventlet
import pytest
from eventlet.event import Event as Signal

from services.chassis.periodic_read import PeriodicRead

ALWAYS, NEVER = 0.0, 3600.0  # seconds after which it is read again


class Read:
    """Counts its calls, and fails or waits where it is told to."""

    def __init__(self):
        self.calls, self.error, self.may_end = 0, None, None

    def __call__(self):
        self.calls += 1
        if self.may_end:
            self.may_end.wait()
        if self.error:
            raise self.error


@pytest.fixture
def read():
    return Read()


@pytest.mark.parametrize(("seconds", "calls"), [(ALWAYS, 3), (NEVER, 1)])
def test_it_is_read_again_when_it_is_time(read, seconds, calls):
    periodic = PeriodicRead(read, seconds=seconds)

    for _ in range(3):
        periodic.if_due()

    assert read.calls == calls


def test_who_asks_while_another_reads_does_not_wait(read):
    periodic, read.may_end = PeriodicRead(read, seconds=NEVER), Signal()
    reading = eventlet.spawn(periodic.if_due)
    eventlet.sleep(0)

    periodic.if_due()

    assert read.calls == 1
    read.may_end.send()
    reading.wait()


def test_what_failed_is_tried_again_by_the_next(read):
    periodic, read.error = PeriodicRead(read, seconds=NEVER), ConnectionError()

    for _ in range(2):
        with pytest.raises(ConnectionError):
            periodic.if_due()

    assert read.calls == 2


def test_what_expires_while_it_is_read_is_read_once_more(read):
    periodic, read.may_end = PeriodicRead(read, seconds=NEVER), Signal()
    reading = eventlet.spawn(periodic.if_due)
    eventlet.sleep(0)
    periodic.expire()
    read.may_end.send()
    reading.wait()

    periodic.if_due()

    assert read.calls == 2
