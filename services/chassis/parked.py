"""Parked messages (dead letters): retried by their handlers when due, replayed or discarded by an operator.

They never go through the broker again: a try or a replay is made here, in the process that looks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from nameko.extensions import SharedExtension
from structlog import get_logger

from services.chassis import fields
from services.chassis.loop import Loop
from services.chassis.mongo import Document, database, patiently
from services.chassis.parking import LONGEST, SETTLED, Parking, item
from services.chassis.problem import Conflict, Unavailable
from services.contract.topology import rpc_queue

log = get_logger()

LOOK = 1.0  # seconds between two looks for due messages
SHOWN = 100_000  # characters of a body that an operator is shown


class ListParked(fields.Schema):
    """The state of the parked messages to list, and the page."""

    state = fields.OneOf("waiting", "settled", required=False)
    cursor = fields.Id(required=False)
    limit = fields.Whole(min=1, max=1_000, rule=None, required=False)


class ShowParked(fields.Schema):
    """The parked message to show."""

    id = fields.Id()


class SettleParked(ShowParked):
    """The parked message to replay or discard, and why."""

    why = fields.Text(max=500)


class AlreadySettled(Conflict):
    """The message waits no longer: it was handled, replayed or discarded."""

    code = "already_settled"
    title_en, title_zh = "The message was settled already.", "此消息已处理完毕。"

    def __init__(self, document: Document) -> None:
        state, by = document["state"], document["settled_by"]
        super().__init__(
            f"It was {state} already.", f"此消息{SETTLED[state]}。", id=document["_id"], state=state, by=by
        )


class NotReplayable(Conflict):
    """No handler here takes this message: discard it, and let its sender send it again."""

    code = "not_replayable"
    title_en = "No handler takes this message again: its sender has to send it again."
    title_zh = "本服务无法重新处理此消息，须由发送方重新发送。"


class ParkedMessages(SharedExtension):
    """The parked messages of a container: retried when due; an operator lists, replays and discards them.

    The four `..._parked` methods take the parameters as they came, and the caller; they raise `InvalidInput` and
    `NotFound`.
    """

    def __init__(self) -> None:
        self._handlers: dict[str, Callable[[bytes], None]] = {}
        self._loop = Loop("parked", self._try_what_is_due, seconds=LOOK, at_once=True)

    def setup(self) -> None:
        """Prepare the collection and its indexes."""
        config = self.container.config
        stored = database(config["SETTINGS"], self.container.service_name)
        self._parking = Parking(stored, config["CLOCK"])
        patiently(partial(self._parking.prepare, rpc_queue(self.container.service_name)))

    def handles(self, queue: str, handle: Callable[[bytes], None]) -> None:
        """Retry the parked messages of this queue with `handle`, which raises `Unavailable` for "not now"."""
        self._handlers[queue] = handle
        self._loop.start(self.container)

    def close(self) -> None:
        """Try no more, once the try at hand is over."""
        self._loop.stop()

    def park(self, message: Any, *, queue: str, error: BaseException, alarm: bool = True) -> None:
        """Store a message, however long that takes; ack it afterwards."""
        self._parking.park(message, queue=queue, error=error, is_heard=queue in self._handlers, alarm=alarm)

    def list_parked(self, given: Mapping[str, Any], *, by: str) -> Document:
        """Return a page of messages that wait, or are settled: `state`, `cursor`, `limit`."""
        return self._parking.page(**fields.load(ListParked(), given))

    def show_parked(self, given: Mapping[str, Any], *, by: str) -> Document:
        """Return a message with its body as text, its properties and its traceback."""
        document = self._parking.find(fields.load(ShowParked(), given)["id"])
        return {
            **item(document),
            "body": bytes(document["body"]).decode("utf-8", "backslashreplace")[:SHOWN],
            "properties": document["properties"],
            "traceback": document["traceback"],
        }

    def replay_parked(self, given: Mapping[str, Any], *, by: str) -> Document:
        """Handle a message now; `Conflict` where that fails again, and it stays parked."""
        params = fields.load(SettleParked(), given)
        document = self._waiting(params["id"])
        handle = self._handler_of(document)
        try:
            handle(bytes(document["body"]))
        except Unavailable:
            raise
        except Exception as error:
            self._parking.note(document["_id"], error)
            name = type(error).__name__
            raise Conflict(f"It failed again: {name}.", f"再次处理失败：{name}。", id=document["_id"]) from error
        return self._settle(document["_id"], "replayed", by=by, why=params["why"])

    def discard_parked(self, given: Mapping[str, Any], *, by: str) -> Document:
        """Settle a message that need not be handled any more."""
        params = fields.load(SettleParked(), given)
        return self._settle(self._waiting(params["id"])["_id"], "discarded", by=by, why=params["why"])

    def _waiting(self, id_: str) -> Document:
        document = self._parking.find(id_)
        if document["state"] != "waiting":
            raise AlreadySettled(document)
        return document

    def _handler_of(self, document: Document) -> Callable[[bytes], None]:
        handle = self._handlers.get(document["queue"])
        if handle is None or document["size"] > LONGEST:
            raise NotReplayable(id=document["_id"])
        return handle

    def _settle(self, id_: str, state: str, *, by: str, why: str) -> Document:
        is_ours = self._parking.settle(id_, state, by=by, why=why)
        document = self._parking.find(id_)
        if not is_ours:
            raise AlreadySettled(document)
        log.info(state, id=id_, queue=document["queue"])
        return item(document)

    def _try_what_is_due(self) -> None:
        while not self._loop.is_stopping and (claimed := self._parking.claim(self._handlers)):
            try:
                self._handlers[claimed["queue"]](bytes(claimed["body"]))
            except Unavailable:
                self._parking.postpone(claimed)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is kept with the message
                self._parking.fail(claimed, error)
            else:
                self._parking.settle(claimed["_id"], "handled")
                log.info("parked message handled", id=claimed["_id"], queue=claimed["queue"], tries=claimed["tries"])
