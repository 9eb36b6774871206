"""What every test can ask for: a broker, a database, keys, and services running on them.

`running` is a `Running` (tests/stack.py): `running.start(Rural)` runs services in this process on a broker that holds
no messages and databases that are new; `running.call("rural", "plan_point", by="u-li", roles=["recorder"], ...)` calls
them as an outsider would; `running.settle()` waits until nothing is pending and every queue is empty.
"""

import os

import pytest

from services.chassis.mongo import client
from tests.stack import Running, an_empty_world, key_pair, leave

pytest.register_assert_rewrite("tests.machines")  # so that what it sees fail is shown as in a test


@pytest.fixture(scope="session")
def addresses():
    """AMQP_URI and MONGO_URI of the test run; `./kexie test` sets them."""
    if not (os.environ.get("AMQP_URI") and os.environ.get("MONGO_URI")):
        pytest.fail("no broker or database: run the tests with ./kexie test")
    yield os.environ["AMQP_URI"], os.environ["MONGO_URI"]
    client(os.environ["MONGO_URI"]).close()


@pytest.fixture(scope="session")
def keys():
    return key_pair()


@pytest.fixture
def settings(addresses, keys):
    """Settings of an empty world: databases without documents, queues without messages."""
    made = an_empty_world(addresses, keys)
    yield made
    leave(made)


@pytest.fixture
def running(settings):
    with Running(settings) as world:
        yield world
