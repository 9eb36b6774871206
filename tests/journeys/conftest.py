"""One whole stack for the journeys of a module."""

import pytest

from tests.journeys.whole import Whole


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    stack = Whole(tmp_path_factory.mktemp("whole") / "home")
    try:
        stack.wait_until_ready()
        yield stack
    finally:
        if stack.popen.poll() is None:
            stack.stop()


@pytest.fixture(autouse=True)
def up(request):
    """Have the module's stack up again where the test before ended it, or a part of it: the order of tests is any."""
    if "whole" in request.fixturenames:
        request.getfixturevalue("whole").be_up()
