"""The five services running together, each of them heard by the gateway, for all tests of a module."""

from contextlib import contextmanager
from dataclasses import replace

from gateway.service import Gateway
from services.awards.service import Awards
from services.contract.topology import SERVICES
from services.members.service import Members
from services.outreach.service import Outreach
from services.rural.service import Rural
from tests.gateway.conftest import Http
from tests.stack import Running, an_empty_world, leave, until


@contextmanager
def everything(addresses, keys, **changes):
    settings = replace(an_empty_world(addresses, keys), http_port=0, caller_rate=0, **changes)
    with Running(settings) as running:
        running.start(Awards, Outreach, Rural, Members, Gateway)
        http = Http(running)
        until(lambda: all(f"/api/v1/{service}/" in str(http.get("/openapi.json").content) for service in SERVICES))
        yield http
    leave(settings)
