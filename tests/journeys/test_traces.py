"""Traces as a collector gets them: one from a request over HTTP to the ledger, and none that holds anything up."""

import base64
import json
import time
import urllib.request
from contextlib import ExitStack, contextmanager

import eventlet
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import StatusCode
from pymongo.errors import PyMongoError

from services.chassis import tracing
from services.chassis.mongo import client
from tests.chassis.processes import Process
from tests.journeys.collector import Collector
from tests.journeys.prizes import a_prize
from tests.stack import expect_requests, until

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"
REPORT = "awards.report_external_result"
HTTP = "gateway server POST /api/v1/<service>/<command>"


@pytest.fixture
def collector():
    with Collector() as one:
        yield one


class Stack:
    """Awards and the gateway, a process each."""

    def __init__(self, world, awards, gateway, port):
        self.world, self.awards, self.gateway, self._port = world, awards, gateway, port

    def report(self, traceparent=None, **changes):
        """Report a prize over HTTP; the status."""
        prize = json.dumps(a_prize() | changes).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self._port}/api/v1/awards/report_external_result", prize)
        request.add_header("Authorization", f"Bearer {self.world.token()}")
        if traceparent is not None:
            request.add_header("traceparent", traceparent)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status


@contextmanager
def a_stack(world, folder, **told):
    private = base64.b64encode(world.settings.token_private_key.encode()).decode()
    with eventlet.listen(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    expect_requests(world.settings)
    with ExitStack() as stack:
        awards, gateway = (
            stack.enter_context(Process(world.settings, folder / name, "deploy.run", name, **told, **more))
            for name, more in (("awards", {}), ("gateway", {"HTTP_PORT": str(port), "TOKEN_PRIVATE_KEY": private}))
        )
        yield Stack(world, awards.ready(), gateway.ready(), port)


def the_trace(collector, trace):
    """The spans of that trace, once both processes have sent theirs."""
    last = {"awards producer awards.events publish", "gateway consumer gateway take", HTTP}
    return until(lambda: last <= set(found := collector.of(trace)) and found)


def traces(collector):
    return {one.trace for one in collector.spans if one.kind == "server" and one.service == "gateway"}


def test_one_trace_goes_from_the_request_over_the_record_to_the_ledger(running, collector, tmp_path):
    with a_stack(running, tmp_path, TRACES_URL=collector.url) as stack:
        assert stack.report(f"00-{TRACE}-{CALLER}-01", title="王小明的作品") == 200
        found = the_trace(collector, TRACE)  # before another event could share its batch
        assert stack.report(title="13812345678") == 200
        until(lambda: len(traces(collector)) == 2)

    http = found[HTTP]
    call, answer = found[f"gateway client {REPORT}"], found[f"awards server {REPORT}"]
    write = found[f"awards client {running.settings.database('awards')}.insert"]
    told, taken = found["awards producer awards.events publish"], found["gateway consumer gateway take"]
    counted = found["gateway client admin.commitTransaction"]
    assert [one.parent for one in (http, call, answer)] == [CALLER, http.id, call.id]
    assert [one.parent for one in (write, told, taken)] == [answer.id] * 3
    assert counted.parent == taken.id
    assert http.attributes == {"http.response.status_code": 200}
    assert write.attributes["db.statement"] == "insert"
    assert write.attributes["db.mongodb.collection"] == "external_result"
    sent = b"".join(collector.bodies)
    for said in ("王小明", "13812345678", "b" * 64, running.token(), "u-li"):
        assert said.encode() not in sent


def test_a_request_without_a_trace_begins_one(running, collector, tmp_path):
    with a_stack(running, tmp_path, TRACES_URL=collector.url) as stack:
        for said in (None, "00-x", f"00-{'0' * 32}-{CALLER}-01", f"00-{TRACE}-{CALLER}-01-more"):
            assert stack.report(said) == 200
        begun = until(lambda: len(found := traces(collector)) == 4 and found)
        found = [the_trace(collector, trace) for trace in begun]

    assert TRACE not in begun
    assert [spans[HTTP].parent for spans in found] == [""] * 4
    assert {one.trace for one in collector.spans} == begun  # what processes do by themselves is not recorded


def test_a_share_of_0_records_what_others_record_and_nothing_else(running, collector, tmp_path):
    with a_stack(running, tmp_path, TRACES_URL=collector.url, TRACES_SHARE="0") as stack:
        assert stack.report() == 200
        assert stack.report(f"00-{TRACE}-{CALLER}-00") == 200
        assert stack.report(f"00-{'a' * 32}-{CALLER}-01") == 200
        the_trace(collector, "a" * 32)

    assert {one.trace for one in collector.spans} == {"a" * 32}


@pytest.mark.parametrize("accepts", [False, True])
def test_a_collector_that_does_not_answer_holds_nothing_up(running, tmp_path, accepts):
    with eventlet.listen(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1/traces"
        if not accepts:
            silent.close()
        with a_stack(running, tmp_path, TRACES_URL=url) as stack:
            started = time.monotonic()
            while time.monotonic() < started + 4:  # longer than a batch is tried for
                begun = time.monotonic()
                assert stack.report() == 200
                assert time.monotonic() - begun < 2
            for process in (stack.awards, stack.gateway):
                process.terminate()
            assert [process.exit_code() for process in (stack.awards, stack.gateway)] == [0, 0]


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:9/v1/traces"])
def test_opentelemetry_is_imported_only_where_traces_are_wanted(settings, tmp_path, url):
    expect_requests(settings)
    told = {"TRACES_URL": url, "PYTHONPROFILEIMPORTTIME": "1", "HTTP_PORT": "0"}
    with Process(settings, tmp_path / "log", "deploy.run", "rural", "gateway", **told) as process:
        process.ready()
        assert "services.chassis.relay" in process.log
        assert ("opentelemetry" in process.log) is bool(url)


def test_what_mongodb_says_of_a_failure_is_not_recorded(settings):
    halls = client(settings.mongo_uri)[settings.database("rural")]["hall"]
    span = TracerProvider().get_tracer("tests").start_span("find")
    with pytest.raises(PyMongoError) as failed:
        halls.database.command({"find": "hall", "filter": {"$王小明": 1}})

    span.set_status(StatusCode.ERROR, failed.value.details["errmsg"])
    assert "王小明" in span.status.description
    tracing.say_little(span, failed.value.details)
    assert span.status.description == "BadValue"


def test_a_collector_that_takes_nothing_is_left_alone_for_a_minute(collector, monkeypatch):
    now = 1_000.0
    monkeypatch.setattr(tracing, "monotonic", lambda: now)
    sparing, span = tracing.PausingExporter(collector.url), TracerProvider().get_tracer("a test").start_span("work")
    span.end()

    collector.answer = "400 Bad Request"
    assert [sparing.export([span]) for _ in range(2)] == [SpanExportResult.FAILURE] * 2
    assert len(collector.bodies) == 1

    collector.answer, now = "200 OK", now + tracing.AWAY
    assert [sparing.export([span]) for _ in range(2)] == [SpanExportResult.SUCCESS] * 2
    assert len(collector.bodies) == 3
    sparing.shutdown()
