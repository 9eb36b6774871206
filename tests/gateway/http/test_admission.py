"""The limits of requests at once and of one caller; a request beyond them is told when to try again."""

from dataclasses import replace
from itertools import pairwise

import eventlet
import pytest
from eventlet.event import Event as Signal

from gateway.http.admission import Bulkhead, Turns
from gateway.http.server import LATE, Server
from gateway.upstream.proxy import ServiceProxyProvider
from services.awards.service import Awards
from services.chassis.problem import Overloaded, Unavailable
from tests.gateway.upstream.test_proxy import REPORT, RESULT

LIST = "/api/v1/awards/external_results"


def test_a_place_is_free_again_after_whatever_happened_in_it():
    room = Bulkhead(1)
    with pytest.raises(ZeroDivisionError), room.place("awards"):
        raise ZeroDivisionError

    with room.place("awards"), room.place("rural"), pytest.raises(Overloaded), room.place("awards"):
        pass


def test_whoever_is_under_way_goes_on_after_every_few_that_begin():
    turns, begun, seen = Turns(4), [], [0]

    def begin():
        turns.wait()
        begun.append(True)

    for _ in range(20):
        eventlet.spawn_n(begin)
    while len(begun) < 20:
        eventlet.sleep(0)
        seen.append(len(begun))

    assert max(later - earlier for earlier, later in pairwise(seen)) == 4


def test_where_requests_wait_for_their_turn_fewer_are_let_in(settings):
    server = Server()
    server.settings, server.busy = replace(settings, http_at_once=64), 9

    assert not server.is_full(waited=LATE / 2)
    assert server.is_full(waited=LATE)


class TestARate:
    @pytest.fixture
    def settings(self, settings):
        return replace(settings, caller_rate=0.2)  # one at once, and the next after five seconds, on a busy machine too

    def test_a_caller_that_asks_too_often_gets_429_and_when_to_come_again_and_others_are_served(self, gateway):
        first, second = (gateway.get("/api/v1/kpis/K1") for _ in range(2))

        assert first.status == 200
        assert (second.status, second.body["code"]) == (429, "too_many_requests")
        assert int(second.headers["Retry-After"]) >= 1
        assert gateway.get("/api/v1/kpis/K1", by="u-wang").status == 200


class TestAFullGateway:
    @pytest.fixture
    def settings(self, settings):
        return replace(settings, http_at_once=2)

    @pytest.fixture
    def slow(self, gateway, monkeypatch):
        """Awards answers when it is let go; each call that waits is announced."""
        gateway.running.start(Awards)
        gateway.get(LIST)  # what awards can do is known from here on
        caller = gateway.extension(ServiceProxyProvider)._caller
        real, let_go, waiting = caller.call, Signal(), Signal()

        def call(service, method, *given, **how):
            if method in ("list_external_results", "report_external_result"):
                if not waiting.ready():
                    waiting.send()
                let_go.wait()
            return real(service, method, *given, **how)

        monkeypatch.setattr(caller, "call", call)
        return waiting, let_go

    def test_one_slow_service_takes_no_more_than_its_share_and_nothing_beyond_is_begun(self, gateway, slow):
        waiting, let_go = slow
        first = eventlet.spawn(gateway.get, LIST)
        waiting.wait()

        refused = gateway.post(REPORT, RESULT)
        assert (refused.status, refused.body["code"], refused.headers["Retry-After"]) == (503, "overloaded", "1")
        assert gateway.get("/api/v1/kpis/K1").status == 200

        let_go.send()
        assert first.wait().body["total"] == 0
        assert gateway.get(LIST).status == 200

    def test_a_gateway_that_is_full_says_so_and_goes_on_telling_of_its_health(self, gateway, slow, monkeypatch):
        monkeypatch.setattr(gateway.extension(ServiceProxyProvider)._proxy, "_bulkhead", Bulkhead(10))
        waiting, let_go = slow
        several = [eventlet.spawn(gateway.get, LIST)]
        waiting.wait()
        waiting.reset()
        several.append(eventlet.spawn(gateway.get, LIST))
        waiting.wait()

        refused = gateway.get("/api/v1/kpis/K1")
        assert (refused.status, refused.body["code"], refused.headers["Retry-After"]) == (503, "overloaded", "1")
        assert gateway.get("/health", token="").status == 200

        let_go.send()
        assert [one.wait().status for one in several] == [200, 200]
        assert gateway.get("/api/v1/kpis/K1").status == 200


class TestNoMoreRoomForLater:
    @pytest.fixture
    def settings(self, settings):
        return replace(settings, accepted_limit=1)

    def test_more_commands_than_may_wait_for_a_service_are_not_accepted(self, gateway, monkeypatch):
        gateway.running.start(Awards)
        gateway.post(REPORT, RESULT)

        def unreachable(*_, **__):
            raise Unavailable

        monkeypatch.setattr(gateway.extension(ServiceProxyProvider)._caller, "call", unreachable)
        answers = [gateway.post(REPORT, RESULT | {"result_id": f"r-{number}"}) for number in (2, 3)]

        assert [answer.status for answer in answers] == [202, 503]
        assert answers[1].headers["Retry-After"]
