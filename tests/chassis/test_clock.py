"""What time it is for a service: for a command when it arrived."""

from datetime import datetime, timedelta
from types import SimpleNamespace

from services.chassis.clock import ClockProvider, SystemClock
from services.chassis.document import Cause
from services.chassis.tokens import Actor
from services.kernel.calendar import SHANGHAI

ARRIVED = datetime(2011, 3, 31, 23, 59, 59, tzinfo=SHANGHAI)


def clock_of(data):
    clock = ClockProvider()
    clock.container = SimpleNamespace(config={"CLOCK": SystemClock()})
    return clock.get_dependency(SimpleNamespace(data=data))


def test_a_command_and_a_row_of_a_sheet_are_judged_by_when_they_arrived():
    cause = Cause(because="c-1", actor=Actor("u-li"), at=ARRIVED)

    for data in ({"cause": cause}, {"batch": SimpleNamespace(cause=cause)}):
        assert clock_of(data).now() == ARRIVED
        assert clock_of(data).today() == ARRIVED.date()


def test_whatever_has_no_cause_sees_the_time_go_on():
    clock = clock_of({})

    assert abs(clock.now() - datetime.now(tz=SHANGHAI)) < timedelta(minutes=1)
