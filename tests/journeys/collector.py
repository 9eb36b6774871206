"""A collector of traces as processes see it: OTLP over HTTP on a port of its own; tests ask it what it was sent."""

import eventlet
import eventlet.wsgi
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Sent:
    """A span that some process has sent."""

    def __init__(self, service, span):
        self.service, self.name, self.span = service, span.name, span
        self.kind = Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower()
        self.id, self.parent, self.trace = span.span_id.hex(), span.parent_span_id.hex(), span.trace_id.hex()
        self.attributes = {one.key: one.value.string_value or one.value.int_value for one in span.attributes}

    def __repr__(self):
        return f"{self.service} {self.kind} {self.name}"


class Collector:
    def __init__(self):
        self.bodies, self.answer = [], "200 OK"
        self._listening = eventlet.listen(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/v1/traces"

    def __enter__(self):
        self._serving = eventlet.spawn(eventlet.wsgi.server, self._listening, self._take, log_output=False)
        return self

    def __exit__(self, *_):
        self._serving.kill()
        self._listening.close()

    @property
    def spans(self):
        return [
            Sent(next(one.value.string_value for one in of.resource.attributes if one.key == "service.name"), span)
            for body in self.bodies
            for of in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in of.scope_spans
            for span in scope.spans
        ]

    def of(self, trace):
        """The spans of a trace, by name of service, kind and span."""
        return {repr(one): one for one in self.spans if one.trace == trace}

    def _take(self, environ, start_response):
        self.bodies.append(environ["wsgi.input"].read())
        start_response(self.answer, [("Content-Type", "application/x-protobuf"), ("Content-Length", "0")])
        return []
