"""What the tests of the chassis share: the toy service running, a broker behind a proxy, and what was announced."""

from contextlib import contextmanager
from dataclasses import replace

import pytest

from tests.chassis.outsider import Outsider, Witness
from tests.chassis.proxy import Proxy
from tests.chassis.toy import Toy
from tests.stack import Running, a_new_prefix, an_empty_world, forget_databases


@pytest.fixture
def settings(addresses, keys):
    made = of_the_toy(addresses, keys)
    yield made
    forget_databases(made)


@pytest.fixture(scope="module")
def shared(addresses, keys):
    """The toy service running, for all tests of a module: they use halls of their own and break nothing."""
    with a_world(addresses, keys) as world:
        yield world.start(Toy)


@contextmanager
def a_world(addresses, keys):
    """A world that several tests share; its records hold few versions and its requests are short."""
    settings = of_the_toy(addresses, keys, versions_limit=60, request_limit=100_000)
    with Running(settings) as world:
        yield world
    forget_databases(settings)


def of_the_toy(addresses, keys, **changes):
    """Settings of an empty world with new databases: the toy keeps halls as outreach keeps venues, by other rules."""
    return an_empty_world(addresses, keys, database_prefix=a_new_prefix(), **changes)


@pytest.fixture(scope="module")
def outsider(shared):
    """A client that is none of ours and sends what it likes."""
    with Outsider(shared.settings) as one:
        yield one


@pytest.fixture
def witness(settings):
    """Hears every event from now on, past the proxy."""
    with Witness(settings) as one:
        yield one


@pytest.fixture
def hall(shared):
    """A new hall with 100 seats in 511102, known by its id."""
    return a_hall(shared)


@pytest.fixture
def proxy(addresses):
    with Proxy(addresses[0]) as one:
        yield one


@pytest.fixture
def behind_proxy(settings, proxy):
    """A world whose way to the broker can be cut, frozen and refused; it is quick to notice."""
    near = replace(settings, amqp_uri=proxy.amqp_uri, heartbeat=1, confirm_timeout=1.0)
    with Running(near) as world:
        yield world
        proxy.heal()


class Ear:
    """A handler of events that notes what it hears and does what a test tells it to."""

    def __init__(self, do=None):
        self.heard = []
        self.do = do

    def __call__(self, service, event):
        self.heard.append(event.id)
        if self.do:
            self.do(service, event)

    def times(self, event):
        return self.heard.count(event.id)


def a_hall(world, **stated):
    hall_id = f"h-{world.a_new_id()}"
    register(world, **{"hall_id": hall_id, **stated})
    return hall_id


def register(world, command_id=None, by="u-li", **stated):
    name = f"hall {world.a_new_id()}"
    return world.call(
        "outreach", "register_hall", command_id=command_id, by=by,
        **{"name": name, "district": "511102", "capacity": 100, **stated},
    )  # fmt: skip


def held(world, hall_id):
    """The hall's document as it is stored."""
    return world.database("outreach")["venue"].find_one({"_id": hall_id})
