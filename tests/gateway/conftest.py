"""A store in a database of its own, and a gateway that answers over HTTP."""

import http.client
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from gateway.http.server import Server
from gateway.read_model.generations import Generations
from gateway.read_model.store import Store
from gateway.reporting.plan_history import PlanHistory
from gateway.reporting.query_service import QueryService
from gateway.service import Gateway
from services.chassis.clock import SystemClock
from services.chassis.health import Health
from services.chassis.mongo import database
from services.chassis.run import containers
from services.contract.topology import SERVICES
from services.kernel.calendar import SHANGHAI


@pytest.fixture
def settings(settings):
    return replace(settings, http_port=0)


@pytest.fixture
def store(settings):
    return Store(database(settings, "gateway"))


@dataclass
class MovedClock(SystemClock):
    """Tells the time that a test sets, a millisecond later each time."""

    at: datetime

    def now(self):
        self.at += timedelta(milliseconds=1)
        return self.at


@pytest.fixture
def clock():
    return MovedClock(datetime(2011, 12, 31, 9, tzinfo=SHANGHAI))


@pytest.fixture
def query_service(settings, clock):
    """A query service with the plans that come with the gateway, which has taken nothing in."""
    base = database(settings, "gateway")
    plan_history = PlanHistory(base, clock)
    plan_history.prepare()
    generations = Generations(base, plan_history.rules)
    generations.prepare()
    return QueryService(plan_history, generations, clock, {})


@dataclass
class Answered:
    """A response; `body` parses its JSON."""

    status: int
    headers: Any
    content: bytes

    @property
    def body(self):
        return json.loads(self.content)


class Http:
    """The gateway as a client sees it; asks as a viewer where it is not told otherwise."""

    def __init__(self, running):
        self.running = running
        (self.container,) = [one for one in running.containers if one.service_name == "gateway"]

    def extension(self, kind):
        (found,) = [one for one in self.container.extensions if isinstance(one, kind)]
        return found

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.extension(Server).port, timeout=20)

    def ask(self, method, path, *, body=None, by="u-li", roles=("viewer",), token=None, headers=None):
        """`token=""` sends none."""
        told = dict(headers or {})
        token = self.running.token(by, roles) if token is None else token
        if token:
            told["Authorization"] = f"Bearer {token}"
        connection = self.connect()
        connection.request(method, path, body if isinstance(body, bytes | None) else json.dumps(body), told)
        response = connection.getresponse()
        answered = Answered(response.status, response.headers, response.read())
        connection.close()
        return answered

    def get(self, path, **how):
        return self.ask("GET", path, **how)

    def post(self, path, body=None, **how):
        return self.ask("POST", path, body=body, **{"roles": ("recorder",), **how})

    def take(self, *events):
        """Let these events come in as their owners would send them, and wait until they are taken in."""
        self.running.publish(*events)
        self.running.settle()


@pytest.fixture
def gateway(running):
    """A gateway whose ledger was compared with every service, though none of them runs."""
    running.start(Gateway)
    Store(running.database("gateway")).note_compared(dict.fromkeys(SERVICES, 0))
    return Http(running)


@pytest.fixture
def second(gateway):
    """Another gateway of the same world."""
    (container,) = containers([Gateway], gateway.running.settings, gateway.running.clock)
    container.config["HEALTH"] = Health(gateway.running.settings, (container,))
    container.start()
    yield container
    container.stop()
