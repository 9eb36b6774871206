"""Publishing into the virtual host of an outside system, with confirms."""

from __future__ import annotations

from typing import Any, NamedTuple

import eventlet
from amqp.basic_message import Message
from eventlet.event import Event as Signal

from gateway.door.virtual_host import declare_exchanges, in_virtual_host
from services.chassis.amqp import Gone, Link
from services.chassis.settings import Settings
from services.contract.topology import RPC_EXCHANGE, SERVICES, exchange


class Publication(NamedTuple):
    """A message and its way; one that is `returned` comes back where no queue gets it."""

    message: Message
    exchange: str
    key: str
    returned: bool = False


class Publisher:
    """Publishes to a system on a connection of its own, whatever the system did to its exchanges.

    Exchanges are declared where they are missing, at each connect; an error of the broker's is a new connect.
    """

    def __init__(self, settings: Settings, system: str) -> None:
        self.link = Link(in_virtual_host(settings, system), f"door.{system}.out", self._opened)
        self._within = settings.confirm_timeout
        self._sent = 0
        self._unconfirmed: dict[int, Signal] = {}
        self._returned: set[int] = set()

    def publish(self, *publications: Publication) -> list[bool]:
        """Publish in this order, and return for each once it is confirmed whether a queue got it, or nobody asked.

        Raises `Gone` where not all were confirmed; some may have arrived.
        """
        with self.link.writing() as channel:
            confirms = [self._send(channel, publication) for publication in publications]
        with eventlet.Timeout(self._within, Gone("no confirm in time")):
            return [confirm.wait() for confirm in confirms]

    def _send(self, channel: Any, publication: Publication) -> Signal:
        self._sent += 1
        confirm = self._unconfirmed[self._sent] = Signal()
        message, exchange_, key, returned = publication
        if returned:
            message.properties["message_id"] = str(self._sent)  # by which it is known when it comes back
        channel.basic_publish(message, exchange=exchange_, routing_key=key, mandatory=returned)
        return confirm

    def _opened(self, channel: Any) -> None:
        lost, self._unconfirmed, self._returned, self._sent = self._unconfirmed, {}, set(), 0
        for confirm in lost.values():
            confirm.send_exception(Gone("the connection was lost before the confirm"))
        declare_exchanges(channel, RPC_EXCHANGE, *map(exchange, SERVICES))
        channel.confirm_select()
        channel.events["basic_ack"].add(self._on_ack)
        channel.events["basic_nack"].add(self._on_nack)
        channel.events["basic_return"].add(self._on_return)

    def _on_ack(self, delivery_tag: int, multiple: bool) -> None:
        for tag in self._settled(delivery_tag, multiple):
            self._unconfirmed.pop(tag).send(tag not in self._returned)
            self._returned.discard(tag)

    def _on_nack(self, delivery_tag: int, multiple: bool) -> None:
        for tag in self._settled(delivery_tag, multiple):
            self._unconfirmed.pop(tag).send_exception(Gone("a queue refused it"))

    def _settled(self, delivery_tag: int, multiple: bool) -> list[int]:
        return [tag for tag in self._unconfirmed if tag == delivery_tag or (multiple and tag < delivery_tag)]

    def _on_return(self, _exception: Any, _exchange: str, _routing_key: str, message: Any) -> None:
        tag = message.properties.get("message_id", "")
        if tag.isdecimal():
            self._returned.add(int(tag))
