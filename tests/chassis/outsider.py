"""A client that knows AMQP and nothing of ours: it sends any bytes, with any properties, to anywhere."""

import uuid

from amqp.basic_message import Message

from services.contract import wire
from services.contract.event import read
from services.contract.topology import RPC_EXCHANGE, SOURCES, exchange
from tests.stack import connect_idly, until


class Outsider:
    def __init__(self, settings):
        self._connection = connect_idly(settings, "tests.outsider")
        self._channel = self._connection.default_channel
        self._channel.auto_decode = False
        self.replies = f"outsider.{uuid.uuid4().hex}"
        self._channel.queue_declare(self.replies, exclusive=True, auto_delete=True, durable=False)
        self._channel.queue_bind(self.replies, exchange=RPC_EXCHANGE, routing_key=self.replies)

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self._connection.collect()

    def send(self, key, body=b"{}", *, exchange=RPC_EXCHANGE, token=None, **properties):
        headers = {"nameko.token": token} if token else {}
        message = Message(body, **{"content_type": "application/json", "application_headers": headers, **properties})
        self._channel.basic_publish(message, exchange=exchange, routing_key=key)

    def ask(self, key, body=b"{}", **properties):
        """The answer to this request, as plain JSON."""
        self.send(key, body, **{"reply_to": self.replies, "correlation_id": uuid.uuid4().hex, **properties})
        return self.answer()

    def answer(self):
        message = until(lambda: self._channel.basic_get(self.replies, no_ack=True))
        return wire.decode(bytes(message.body))

    def messages_in(self, queue):
        return self._channel.queue_declare(queue, passive=True).message_count

    def consumers_of(self, queue):
        return self._channel.queue_declare(queue, passive=True).consumer_count

    def purge(self, queue):
        self._channel.queue_purge(queue)

    def delete(self, queue):
        self._channel.queue_delete(queue)


class Witness:
    """Hears every event that is published, in the order in which the broker got them."""

    def __init__(self, settings):
        self._connection = connect_idly(settings, "tests.witness")
        self._channel = self._connection.default_channel
        self._messages = []
        self._queue = f"witness.{uuid.uuid4().hex}"
        self._channel.queue_declare(self._queue, exclusive=True, auto_delete=True, durable=False)
        for source in SOURCES:
            self._channel.queue_bind(self._queue, exchange=exchange(source), routing_key="#")

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self._connection.collect()

    @property
    def messages(self):
        """All that came so far, as it was sent."""
        while message := self._channel.basic_get(self._queue, no_ack=True):
            self._messages.append(message)
        return self._messages

    @property
    def heard(self):
        """All events so far."""
        return [read(message.body) for message in self.messages]

    def versions_of(self, record):
        return [event.version for event in self.heard if event.record == record]
