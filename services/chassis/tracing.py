"""Traces recorded with OpenTelemetry and sent to a collector; imported only where they are wanted.

Requests begin traces, everything else only joins one: work that a process does by itself is not recorded. Spans hold
the names of methods, routes, databases, collections and errors, never input (X-08). A collector that is slow or away
costs spans, and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any

import eventlet
from opentelemetry import context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.pymongo import PymongoInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, Sampler, TraceIdRatioBased
from opentelemetry.trace import Span as OtelSpan
from opentelemetry.trace import SpanKind, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from services.chassis import problem, trace
from services.chassis.health import VERSION

SENT_WITHIN = 2.0  # seconds, all tries of a batch together
EVERY = 1.0  # seconds between two batches of a quiet time
AWAY = 60.0  # seconds
WAITING = 4_096  # spans; further ones push the oldest out

_form = TraceContextTextMapPropagator()


def switch_on(url: str, *, share: float, of: list[str]) -> None:
    """Record this share of the traces that begin here, and all recorded elsewhere; before any database client."""
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)
    sending = BatchSpanProcessor(
        PausingExporter(url, timeout=SENT_WITHIN), max_queue_size=WAITING, schedule_delay_millis=EVERY * 1_000
    )
    resource = Resource({"service.namespace": "kexie", "service.name": ",".join(of), "service.version": VERSION})

    def provider(root: Sampler) -> TracerProvider:
        made = TracerProvider(ParentBased(root), resource, shutdown_on_exit=False)
        made.add_span_processor(sending)
        return made

    requests, others = provider(TraceIdRatioBased(share)), provider(ALWAYS_OFF)
    PymongoInstrumentor().instrument(
        tracer_provider=others, failed_hook=lambda span, event: say_little(span, event.failure)
    )
    trace.record_with(OtelRecorder(requests.get_tracer("kexie"), others.get_tracer("kexie"), sending))


class PausingExporter(OTLPSpanExporter):
    """Leaves a collector that is away alone for a minute: looking up an unknown name stops the process."""

    _again = 0.0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans, or fail at once while the collector is left alone."""
        if monotonic() < self._again:
            return SpanExportResult.FAILURE
        result = super().export(spans)
        if result is not SpanExportResult.SUCCESS:
            self._again = monotonic() + AWAY
        return result


class OtelRecorder(trace.Recorder):
    """Makes spans that are recorded with OpenTelemetry."""

    def __init__(self, requests: Tracer, others: Tracer, sending: BatchSpanProcessor) -> None:
        self._requests, self._others, self._sending = requests, others, sending

    def span(self, role: trace.Role, name: str, traceparent: str | None) -> trace.Span:
        """Begin a recorded span."""
        parent = _form.extract({trace.HEADER: traceparent or ""}, context.Context())
        tracer = self._requests if role == "server" else self._others
        return RecordedSpan(tracer.start_span(name, parent, SpanKind[role.upper()]))

    def close(self) -> None:
        """Send the spans that are left, within two seconds."""
        with eventlet.Timeout(SENT_WITHIN, False):
            self._sending.shutdown()


class RecordedSpan(trace.Span):
    """A span that is recorded."""

    def __init__(self, span: OtelSpan) -> None:
        self._span = span
        self._context = set_span_in_context(span, context.Context())
        carrier: dict[str, str] = {}
        _form.inject(carrier, self._context)
        super().__init__(carrier[trace.HEADER])

    @contextmanager
    def active(self) -> Iterator[None]:
        """Make everything that is done or spawned meanwhile part of the span."""
        before = context.attach(self._context)
        try:
            with super().active():
                yield
        finally:
            context.detach(before)

    def set_response(self, name: str, status: int) -> None:
        """Set name and status of an HTTP request; 500 and above is an error."""
        self._span.update_name(name)
        self._span.set_attribute("http.response.status_code", status)
        if status >= 500:
            self._span.set_status(StatusCode.ERROR)

    def end(self, error: BaseException | None = None) -> None:
        """End it; a refusal, or an error of the caller's, is no error of ours."""
        if error is not None:
            self._span.set_attribute("error.type", type(error).__name__)
            if problem.say(error)["status"] >= 500:
                self._span.set_status(StatusCode.ERROR)
        self._span.end()


def say_little(span: OtelSpan, failure: Mapping[str, Any]) -> None:
    """Keep only the name of a database error: MongoDB's messages quote the values that it refused."""
    span.set_status(StatusCode.ERROR, failure.get("codeName", "UnknownError"))
