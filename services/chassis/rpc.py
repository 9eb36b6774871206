"""RPC as nameko speaks it, served so that no request can end the process and no answer is waited for twice.

Any nameko client can call: JSON with keyword arguments to `nameko-rpc`, key `<service>.<method>`, the token in the
header `nameko.token`. Where a request has no reply address, a command is done all the same, and everything else is
dropped and counted: rubbish is nobody's lost fact.
"""

from __future__ import annotations

from functools import partial
from time import monotonic
from typing import Any

from amqp.basic_message import Message
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import Entrypoint, SharedExtension
from structlog import get_logger

from services.chassis import metrics, problem, tokens, trace
from services.chassis.amqp import AnswerChannel, Gone, Link, body_of
from services.chassis.fields import FieldError
from services.chassis.log import malfunction
from services.chassis.mongo import is_passing
from services.chassis.parked import ParkedMessages
from services.chassis.problem import InvalidInput, NotFound, TooLarge, Unavailable
from services.chassis.provider import Provider
from services.chassis.revocations import Revocations
from services.chassis.tokens import Actor, Tokens
from services.contract import wire
from services.contract.topology import MESSAGE_LIMIT, RPC_EXCHANGE, rpc_queue
from services.kernel import Refusal

JSON = "application/json"
SHORT = 255  # bytes of a text among a message's properties

log = get_logger()


class Server(SharedExtension):
    """The service's RPC queue: requests in, answers out, each acked after its answer was sent.

    Answers have a channel of their own: an address that may not be written ends no other request.
    """

    parked = ParkedMessages()
    revocations = Revocations()

    def __init__(self) -> None:
        self.methods: dict[str, Method] = {}
        self._stopping = False
        self._thread: Any = None

    def setup(self) -> None:
        """Make the link, not connected yet."""
        settings, service = self.container.config["SETTINGS"], self.container.service_name
        self.settings = settings
        self.queue = rpc_queue(service)
        self.tokens = Tokens(settings.token_public_key, self.revocations, audience=service)
        self._link = Link(settings, f"{service}.rpc", self._opened, self._refresh)

    def open(self) -> None:
        """Serve, once every method is known."""
        if self._thread is None:
            self._thread = self.container.spawn_managed_thread(self._link.run, identifier=self.queue)

    @property
    def is_up(self) -> bool:
        """True while connected to the broker."""
        return self._link.is_up

    def close(self) -> None:
        """Take no new request; the ones at hand are still answered."""
        if self._stopping:
            return
        self._stopping = True
        try:
            with self._link.writing() as channel:
                channel.basic_cancel(self.queue, nowait=True)
        except Gone:
            pass  # no request comes in anyway

    def stop(self) -> None:
        """Close the connection."""
        self._link.stop()
        if self._thread is not None:
            self._thread.wait()

    def _opened(self, channel: Any) -> None:
        self._answers = AnswerChannel(channel.connection)
        self._answers.open()
        channel.basic_qos(0, self.settings.rpc_workers, False)
        if not self._stopping:
            self._consume(channel)

    def _refresh(self, channel: Any) -> None:
        """Consume anew: a broker node that was frozen forgets its consumers on others, and tells nobody."""
        if channel is not None and not self._stopping:
            channel.basic_cancel(self.queue, nowait=True)
            self._consume(channel, nowait=True)

    def _consume(self, channel: Any, *, nowait: bool = False) -> None:
        channel.basic_consume(
            self.queue, consumer_tag=self.queue, nowait=nowait, callback=self._on_message, on_cancel=_on_cancel
        )

    def _on_message(self, message: Any) -> None:
        if self._stopping:
            return  # not acked: another replica gets it, or this one after its start
        request = Request(message)
        name = f"{self.container.service_name}.{self._name(request)}"
        request.span = trace.begin("server", name, request.headers.get(trace.HEADER))
        with request.span.active():
            self._serve(request)

    def _serve(self, request: Request) -> None:
        try:
            method, arguments = self._understand(request)
            if method.only_answers and not request.reply_to:
                raise InvalidInput(FieldError("reply_to", "A query needs an address.", "查询须给出答复地址。"))
            method.serve(request, arguments)
        except ContainerBeingKilled:
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller is told and the process lives
            self.container.spawn_managed_thread(partial(self.answer, request, None, error), identifier="answer")

    def _understand(self, request: Request) -> tuple[Method, dict[str, Any]]:
        if len(request.body) > self.settings.request_limit:
            raise TooLarge(bytes=len(request.body), limit=self.settings.request_limit)
        method = self.methods.get(request.method)
        if method is None:
            known = ", ".join(sorted(self.methods))
            raise NotFound(f"Unknown method; known: {known}", f"未知方法；可用：{known}", method=request.method)
        return method, request.arguments()

    def answer(self, request: Request, result: Any, error: BaseException | None) -> None:
        """Send the answer and ack; where the connection is gone the request comes again and finds its outcome.

        An answer that the broker refuses is lost, and its request is acked.
        """
        request.span.end(error)
        metrics.COMMANDS.labels(self.container.service_name, self._name(request), _outcome(error)).inc()
        metrics.SECONDS.labels(self.container.service_name).observe(monotonic() - request.taken_at)
        reply = request.reply(result, error)
        if not request.reply_to:
            self.container.spawn_managed_thread(partial(self._end_unheard, request, error), identifier="unheard")
            return
        try:
            with self._link.writing(request.message.channel) as channel:
                self._answers.publish(reply, exchange=RPC_EXCHANGE, routing_key=request.reply_to)
                channel.basic_ack(request.message.delivery_tag)
        except Gone:
            log.info("answer not sent; the request will be redelivered", method=request.method)

    def _end_unheard(self, request: Request, error: BaseException | None) -> None:
        """Count and ack; a command of a known caller that failed by no fault of its own is parked, without an alarm."""
        if error is not None and request.is_authenticated and _is_our_trouble(error):
            self.parked.park(request.message, queue=self.queue, error=error, alarm=False)
        metrics.UNHEARD.labels(self.container.service_name, _outcome(error)).inc()
        try:
            with self._link.writing(request.message.channel) as channel:
                channel.basic_ack(request.message.delivery_tag)
        except Gone:
            log.info("not acked; the request will be redelivered", method=self._name(request))

    def _name(self, request: Request) -> str:
        return request.method if request.method in self.methods else "unknown"


class ServerProvider(Provider[Server]):
    """Gives a service the server that its methods are called through."""

    server = Server()

    def provide(self) -> Server:
        """Return the server."""
        return self.server


class Request:
    """A request as it came from the broker."""

    def __init__(self, message: Any) -> None:
        self.message = message
        self.taken_at = monotonic()
        self.because: str | None = None  # the command's id, once it is known
        self.is_authenticated = False  # until its token is verified
        self.span = trace.Span(None)
        self.reply_to = _text(message.properties.get("reply_to"))
        self.id = _text(message.properties.get("correlation_id"))
        self.headers = message.properties.get("application_headers") or {}
        self.method = str(message.delivery_info["routing_key"]).partition(".")[2]

    @property
    def body(self) -> bytes:
        """The bytes of the request."""
        return body_of(self.message)

    @property
    def token(self) -> Any:
        """The caller's token, not verified."""
        return self.headers.get(tokens.HEADER)

    def arguments(self) -> dict[str, Any]:
        """Decode the keyword arguments; raises `InvalidInput` for anything that is not such a request."""
        if self.message.properties.get("content_type") != JSON:
            raise InvalidInput(FieldError("content_type", f"Must be {JSON}.", f"须为 {JSON}。"))
        try:
            body = wire.decode_given(self.body)
        except wire.BrokenJson as error:
            raise InvalidInput(FieldError("body", f"Not JSON: {error}", f"不是合法的 JSON：{error}")) from None
        if not isinstance(body, dict) or not isinstance(body.get("kwargs", {}), dict):
            raise InvalidInput(FieldError("body", 'Must be {"args": [], "kwargs": {...}}.', "须为 kwargs 对象。"))
        if body.get("args"):
            raise InvalidInput(FieldError("args", "Name every argument.", "参数须逐一写明名称。"))
        return body.get("kwargs", {})

    def reply(self, result: Any, error: BaseException | None) -> Message:
        """Make the answer's message; an error that is our mistake is logged and told as `Malfunction`."""
        if error is not None and not isinstance(error, Refusal | problem.Problem):
            self._log(error)
        try:
            body = wire.encode({"result": result, "error": None if error is None else error_of(error)})
            if len(body) > MESSAGE_LIMIT:
                body = wire.encode({"result": None, "error": error_of(_too_large(len(body)))})
        except (TypeError, ValueError, OverflowError, RecursionError) as fault:
            self._log(fault)
            body = wire.encode({"result": None, "error": error_of(fault)})
        return Message(body, content_type=JSON, content_encoding="utf-8", correlation_id=self.id, delivery_mode=1)

    def _log(self, error: BaseException) -> None:
        malfunction(error, method=self.method, command=self.because, call=self.id)


class Method(Entrypoint):
    """A method of a service that can be called; see `entrypoints` for the kinds there are."""

    server = Server()
    only_answers = False  # True where nothing is left of a call but its answer

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(expected_exceptions=(Refusal, problem.Problem), **kwargs)

    def setup(self) -> None:
        """Make the method known to the server."""
        self.server.methods[self.method_name] = self

    def start(self) -> None:
        """Let the server serve."""
        self.server.open()

    def stop(self) -> None:
        """Let the server take no new requests."""
        self.server.close()

    def prepare(self, request: Request, arguments: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the method's arguments and its context; raises a problem."""
        raise NotImplementedError

    def begin(self, context: dict[str, Any]) -> None:
        """Do what comes before the method, in its worker; raises a problem in place of it."""

    def recover(self, context: dict[str, Any], arguments: dict[str, Any], error: BaseException) -> Any:
        """Return an earlier outcome to answer in place of this error, or raise the error."""
        raise error

    def visible_result(self, context: dict[str, Any], result: Any) -> Any:
        """Return the part of a result that this caller may see."""
        return result

    def serve(self, request: Request, arguments: dict[str, Any]) -> None:
        """Run the method in a worker and answer."""
        prepared, context = self.prepare(request, arguments)

        def finished(worker_ctx: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
            error = exc_info[1] if exc_info else None
            if error is not None:
                result, error = self._recovered(context, arguments, error)
            answer = self.visible_result(context, result) if error is None else None
            self.server.answer(request, answer, error)
            return result, exc_info

        self.container.spawn_worker(self, (), prepared, context_data=context, handle_result=finished)

    def _recovered(
        self, context: dict[str, Any], arguments: dict[str, Any], error: BaseException
    ) -> tuple[Any, BaseException | None]:
        try:
            return self.recover(context, arguments, error), None
        except Exception as left:  # noqa: BLE001 - it is what is answered
            return None, Unavailable() if is_passing(left) else left

    def _authenticate(self, request: Request) -> Actor:
        actor = self.server.tokens.verify(request.token)
        request.is_authenticated = True
        return actor


def error_of(error: BaseException) -> dict[str, Any]:
    """Write an error as nameko does: stock clients raise `RemoteError` with our name, ours read the first argument."""
    content = problem.say(error)
    return {
        "exc_type": content["error"],
        "exc_path": f"kexie.{content['error']}",
        "exc_args": [content],
        "value": f"{content['code']}: {content['en']}",
    }


def _too_large(size: int) -> TooLarge:
    return TooLarge("The answer is too large: ask for less.", "答复过大，请缩小范围。", bytes=size, limit=MESSAGE_LIMIT)


def _is_our_trouble(error: BaseException) -> bool:
    return isinstance(error, Unavailable) or not isinstance(error, Refusal | problem.Problem)


def _outcome(error: BaseException | None) -> str:
    return "done" if error is None else str(problem.say(error)["error"])


def _text(value: Any) -> str | None:
    """An address or id that an answer can carry."""
    return value if isinstance(value, str) and len(value.encode()) <= SHORT else None


def _on_cancel(consumer_tag: str) -> None:
    raise Gone(f"{consumer_tag} was deleted")
