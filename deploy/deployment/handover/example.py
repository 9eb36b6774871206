"""Call each granted method once, then print each granted event as it happens, until Ctrl-C.

A program to begin with; it needs `pip install kombu` and the files beside it.
示例程序：逐一调用获准的方法，随后持续接收获准的事件，按 Ctrl-C 结束。只需 kombu 与同一目录下的文件。
"""

import json
import ssl
import sys
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from amqp.exceptions import AccessRefused
from kombu import Connection, Consumer, Exchange, Producer, Queue

HERE = Path(__file__).resolve().parent
ADDRESS = (HERE / "amqp_uri").read_text().strip()
TOKEN = (HERE / "token").read_text().strip()
GRANTED = json.loads((HERE / "granted.json").read_text())
CA = HERE / "ca.pem"
NAME = urlsplit(ADDRESS).username

RPC = Exchange("nameko-rpc", "topic", durable=True)
ANSWERED_WITHIN = 10  # seconds
EVENTS_WAIT = 7 * 86_400  # seconds, in the broker, for a program that is away
NOBODY_THERE = {"error": "nobody takes calls at this moment 暂时无人受理"}
LONGEST_PAUSE = 60  # seconds between two attempts to connect


def main() -> None:
    """Connect again and again, after ever longer pauses."""
    to_call, pause = list(GRANTED["may"]), 1
    while True:
        connection = connect()
        try:
            connection.connect()
            pause = 1
            tell("connected to", urlsplit(ADDRESS).hostname)
            hear_events(connection)
            while to_call:
                tell(to_call[0], call(connection, to_call[0]))
                to_call.pop(0)
            while True:
                read(connection)
        except AccessRefused as error:
            sys.exit(f"The broker does not let us in. 消息服务拒绝登录：{error}")
        except ssl.SSLCertVerificationError as error:
            sys.exit(f"The certificate is not that of our broker. 服务器证书不可信：{error}")
        except connection.recoverable_connection_errors as error:
            tell(f"no connection, again in {pause} s:", str(error))
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        finally:
            connection.collect()


def connect() -> Connection:
    """Return a connection; over TLS the certificate has to be of our authority and for this host."""
    address, options = urlsplit(ADDRESS), {}
    if address.scheme == "amqps":
        trusted = {"ca_certs": str(CA)} if CA.exists() else {}
        options["ssl"] = {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": address.hostname, **trusted}
    return Connection(ADDRESS, heartbeat=10, connect_timeout=5, **options)


def hear_events(connection: Connection) -> None:
    """Subscribe to the granted events; the queue keeps them while this program is away."""
    channel = connection.channel()
    queue = Queue(f"{NAME}.events", durable=True, expires=EVENTS_WAIT)(channel)
    queue.declare()
    for event in GRANTED["hears"]:
        service, _, key = event.partition(".")
        source = Exchange(f"{service}.events", "topic", durable=True)(channel)
        source.declare()
        queue.bind_to(source, routing_key=key)
    Consumer(channel, [queue], on_message=heard, prefetch_count=10).consume()


def heard(message: Any) -> None:
    """Print an event. It comes again if we end before the ack: recognise repetitions by its id."""
    tell("heard", message.payload)
    message.ack()


def call(connection: Connection, method: str, **arguments: Any) -> Any:
    """Call a method and return its result, or the error that was answered.

    A command that changes something also takes a `command_id` of ours: sent again with the same one, it changes nothing
    more. Another command needs another id.
    """
    with connection.channel() as channel:
        answers: list[Any] = []
        replies = Queue(durable=False, exclusive=True, auto_delete=True)(channel)  # the broker gives it a name
        replies.declare()
        heard = {"on_message": lambda message: answers.append(message.payload), "no_ack": True}
        Consumer(channel, [replies], auto_declare=False, **heard).consume()
        Producer(channel, RPC, on_return=lambda *_: answers.append(NOBODY_THERE)).publish(
            {"args": [], "kwargs": arguments},
            routing_key=method,
            reply_to=replies.name,
            correlation_id=str(uuid.uuid4()),
            headers={"nameko.token": TOKEN},
            mandatory=True,
            expiration=ANSWERED_WITHIN,
        )
        deadline = time.monotonic() + ANSWERED_WITHIN
        while not answers and time.monotonic() < deadline:
            read(connection)
    answer = answers[0] if answers else {"error": f"no answer within {ANSWERED_WITHIN} s"}
    return {"error": answer["error"]} if answer["error"] else answer["result"]


def read(connection: Connection) -> None:
    """Handle the messages of one second."""
    try:
        connection.drain_events(timeout=1)
    except TimeoutError:
        connection.heartbeat_check()


def tell(*values: Any) -> None:
    """Print values in one line, at once."""
    sys.stdout.write(" ".join(it if isinstance(it, str) else json.dumps(it, ensure_ascii=False) for it in values))
    sys.stdout.write("\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
