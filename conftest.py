"""Before anything else is imported the tests take Eventlet's place in the standard library, as the services do."""

import deploy.image.greenthreads  # noqa: F401, I001 - before anything else

import gc
import logging
import os
import shlex
import sys
from collections import Counter

import eventlet
import hypothesis
import pytest

from deploy.local.broker import Broker
from deploy.local.home import Home
from deploy.local.supervisor import ending_with_parent

hypothesis.settings.register_profile("kexie", deadline=None)  # how long an example takes says who else was at work
hypothesis.settings.load_profile("kexie")

USUAL_TIMEOUT = 60  # seconds

logging.getLogger("nameko.containers").setLevel(logging.ERROR)  # else each refusal is written down with its traceback

if worker := os.environ.get("PYTEST_XDIST_WORKER"):  # one of several, each with a virtual host of its own
    os.environ["AMQP_URI"] = os.environ["AMQP_URI"].removesuffix("%2F") + worker


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(specs):
    """A virtual host for each worker, since a queue has the same name in all of them; none outlives us."""
    Broker(Home.of_the_environment()).add_virtual_hosts(*(spec.id for spec in specs))
    for spec in specs:
        spec.python = shlex.join([*ending_with_parent(), sys.executable, "-m", "tests.worker"])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """First the modules whose tests may take long, so that no worker is left with one of them in the end."""
    seconds = Counter()
    for item in items:
        seconds[item.path] += may_take(item) - USUAL_TIMEOUT
    items.sort(key=lambda item: -seconds[item.path])


def pytest_collection_finish():
    """What is there before the first test stays to the end: the garbage collector need not look through it again."""
    gc.collect()
    gc.freeze()


def may_take(item):
    marker = item.get_closest_marker("timeout")
    return marker.args[0] if marker else USUAL_TIMEOUT


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """A test that hangs fails alone, and the others go on."""
    seconds = may_take(item)
    with eventlet.Timeout(seconds, AssertionError(f"took longer than {seconds} s")):
        return (yield)
