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
