"""Before anything else is imported the tests take Eventlet's place in the standard library, as the services do."""

import deploy.image.greenthreads  # noqa: F401, I001 - before anything else

import eventlet
import hypothesis
import pytest

hypothesis.settings.register_profile("kexie", deadline=None)  # how long an example takes says who else was at work
hypothesis.settings.load_profile("kexie")

USUAL_TIMEOUT = 60  # seconds


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """A test that hangs fails alone, and the others go on."""
    marker = item.get_closest_marker("timeout")
    seconds = marker.args[0] if marker else USUAL_TIMEOUT
    with eventlet.Timeout(seconds, AssertionError(f"took longer than {seconds} s")):
        return (yield)
