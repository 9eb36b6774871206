"""More requests than a service can serve: those that nobody waits for any longer are not begun."""

import pytest

from services.chassis.problem import Unavailable
from tests.chassis.conftest import a_hall, held
from tests.chassis.toy import Toy

CLOSE = {"reason": "修缮", "roles": ["chair"], "timeout": 0.4}


def test_a_request_that_waited_too_long_for_its_service_is_never_begun(running):
    running.start(Toy)
    hall = a_hall(running)
    running.stop("outreach")

    with pytest.raises(Unavailable):
        running.call("outreach", "suspend_hall", hall_id=hall, command_id="close", **CLOSE)
    running.start(Toy)
    assert held(running, hall)["version"] == 1

    assert running.call("outreach", "suspend_hall", hall_id=hall, command_id="close", **CLOSE)["version"] == 2
