"""The limits of requests at once and of one caller; a request beyond them is told when to try again."""

from dataclasses import replace
from itertools import pairwise

import eventlet
import pytest
from eventlet.event import Event as Signal

from gateway.http.admission import LATE, Bulkhead, Places, Pool, Turns
from gateway.http.messages import network
from gateway.http.server import Server
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


def test_where_requests_wait_for_their_turn_fewer_are_let_in():
    places = Places(64, taken=8)

    assert not places.is_full(waited=LATE / 2)
    assert places.is_full(waited=LATE)


def test_a_place_that_is_lent_is_free_for_others():
    places = Places(1)

    with places.place():
        assert places.is_full()
        with places.lent():
            assert not places.is_full()
        assert places.is_full()
    assert not places.is_full()


def test_neither_one_caller_nor_all_strangers_take_all_places_of_a_pool():
    pool = Pool("exports", 4, each=2, strangers=3)
    for caller in ("at 1", "at 1", "at 2"):
        pool.take(caller, is_known=False)

    with pytest.raises(Overloaded):
        pool.take("at 3", is_known=False)
    with pool.place("u-li", is_known=True), pytest.raises(Overloaded):
        pool.take("u-wang", is_known=True)

    pool.give_back("at 1", is_known=False)
    with pool.place("u-li", is_known=True), pool.place("u-li", is_known=True), pytest.raises(Overloaded):
        pool.take("u-li", is_known=True)
    with pool.place("at 2", is_known=False), pytest.raises(Overloaded):
        pool.take("at 2", is_known=False)


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


def test_strangers_neither_keep_staff_from_files_nor_from_numbers_of_the_past(gateway):
    report, past = "/api/v1/plans/2011/report.docx", "/api/v1/plans/2011/progress?as_of=2011-10-31"
    pools = gateway.extension(Server).pools
    for pool in pools.values():
        for number in range(pool.strangers):
            pool.take(f"at {number}", is_known=False)

    for path in (report, past):
        refused = gateway.get(path, token="")
        assert (refused.status, refused.body["code"], refused.headers["Retry-After"]) == (503, "overloaded", "1")
        assert gateway.get(path).status == 200
    assert gateway.get("/api/v1/plans/2011/progress", token="").status == 200


def test_credentials_that_are_wrong_make_a_caller_of_a_public_address_a_stranger(gateway):
    for told in ({"Authorization": "Bearer nonsense"}, {"Authorization": "Basic x"}, {"Cookie": "kexie_session=x"}):
        assert gateway.get("/api/v1/plans/2011/progress", token="", headers=told).status == 200


def test_very_many_names_are_refused_before_any_of_them_is_looked_at(gateway):
    address = "/api/v1/plans/2011/progress?" + "&".join(f"x{number}=" for number in range(1_000))
    body = {f"x{number}": 1 for number in range(50_000)}

    told = gateway.ask("POST", "/api/v1/login", body=body, token="")
    for refused, field in ((gateway.get(address, token=""), "request"), (told, "body")):
        assert (refused.status, [error["field"] for error in refused.body["errors"]]) == (400, [field])
        assert len(refused.content) < 1_000


def test_an_address_of_ipv6_counts_by_its_network():
    assert network("2001:db8::1") == network("2001:db8::2:3") != network("2001:db8:0:1::1")
    assert network("::ffff:192.0.2.1") == network("192.0.2.1") != network("192.0.2.2")
    assert network("no address") == "no address"
