"""A town for each module of tests, and two outside systems in it."""

import pytest

from tests.gateway.door.town import Town
from tests.stack import an_empty_world, leave


@pytest.fixture(scope="module")
def town(addresses, keys, tmp_path_factory):
    settings = an_empty_world(addresses, keys, heartbeat=2)
    with Town(settings, tmp_path_factory.mktemp("town")) as made:
        yield made
    leave(settings)


@pytest.fixture(scope="module")
def both(town):
    """Two systems of the same grants, served by the door."""
    made = town.let_in("audit_office", "library")
    town.open_door(*made)
    return made


@pytest.fixture(scope="module")
def office(both):
    return both[0]


@pytest.fixture(scope="module")
def library(both):
    return both[1]


@pytest.fixture
def client(office):
    with office.connected() as one:
        yield one
