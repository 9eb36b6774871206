"""Calls each method that was granted once, then tells each event that was granted as it happens, until Ctrl-C.

A program to begin with: it needs `pip install kombu` and the files beside it.
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

from amqp.exceptions import AccessRefused, NotFound
from kombu import Connection, Consumer, Producer, Queue

HERE = Path(__file__).resolve().parent
ADDRESS = (HERE / "amqp_uri").read_text().strip()
TOKEN = (HERE / "token").read_text().strip()
GRANTED = json.loads((HERE / "granted.json").read_text())
CA = HERE / "ca.pem"
NAME = urlsplit(ADDRESS).username

RPC = "nameko-rpc"
ANSWERED_WITHIN = 10  # seconds
KEPT = 7 * 86_400  # seconds that events wait in the broker for a program that is away
LONGEST_PAUSE = 60  # seconds between two attempts to connect
NOT_GRANTED = (AccessRefused, NotFound)  # the broker closes the channel on which it is asked for that


def main() -> None:
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
            sys.exit(f"That is not the broker we were told of. 服务器证书不可信：{error}")
        except connection.recoverable_connection_errors as error:
            tell(f"no connection, again in {pause} s:", str(error))
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        finally:
            connection.collect()


def connect() -> Connection:
    """Over TLS the certificate has to be of our authority, and for the host that we call."""
    address, options = urlsplit(ADDRESS), {}
    if address.scheme == "amqps":
        trusted = {"ca_certs": str(CA)} if CA.exists() else {}
        options["ssl"] = {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": address.hostname, **trusted}
    return Connection(ADDRESS, heartbeat=10, connect_timeout=5, **options)


def hear_events(connection: Connection) -> None:
    """The queue keeps what happens while this program is away."""
    queue = Queue(f"{NAME}.events", durable=True, expires=KEPT)
    channel = connection.channel()
    queue(channel).declare()
    for event in GRANTED["hears"]:
        service, _, key = event.partition(".")
        try:
            with connection.channel() as asking:
                queue(asking).bind_to(f"{service}.events", routing_key=key)
        except NOT_GRANTED as error:
            tell(event, refused(error))
    Consumer(channel, [queue], on_message=heard, prefetch_count=10).consume()


def heard(message: Any) -> None:
    """It comes again where we end before the ack, so whoever keeps it goes by its id."""
    tell("heard", message.payload)
    message.ack()


def call(connection: Connection, method: str, **arguments: Any) -> Any:
    """The result, or why there is none. A command that changes something also takes a `command_id` of ours: sent again
    with the same one, it changes nothing more."""
    try:
        with connection.channel() as channel:
            return answer(connection, channel, method, arguments)
    except NOT_GRANTED as error:
        return refused(error)


def answer(connection: Connection, channel: Any, method: str, arguments: dict[str, Any]) -> Any:
    answers: list[Any] = []
    name = f"reply.{uuid.uuid4().hex}"
    replies = Queue(name, durable=False, exclusive=True, auto_delete=True)(channel)
    replies.declare()
    replies.bind_to(RPC, routing_key=name)
    Consumer(channel, [replies], on_message=lambda message: answers.append(message.payload), no_ack=True).consume()
    Producer(channel, on_return=lambda *_: answers.append({"error": "nobody serves that"})).publish(
        {"args": [], "kwargs": arguments},
        exchange=RPC,
        routing_key=method,
        reply_to=name,
        correlation_id=name,
        headers={"nameko.token": TOKEN},
        mandatory=True,
        expiration=ANSWERED_WITHIN,
    )
    give_up = time.monotonic() + ANSWERED_WITHIN
    while not answers and time.monotonic() < give_up:
        read(connection)
    if not answers:
        return {"error": f"no answer within {ANSWERED_WITHIN} s"}
    return {"error": answers[0]["error"]} if answers[0]["error"] else answers[0]["result"]


def refused(error: Any) -> dict[str, str]:
    return {"refused by the broker 被消息服务拒绝": error.reply_text}


def read(connection: Connection) -> None:
    """Whatever comes within a second."""
    try:
        connection.drain_events(timeout=1)
    except TimeoutError:
        connection.heartbeat_check()


def tell(*said: Any) -> None:
    sys.stdout.write(" ".join(one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in said))
    sys.stdout.write("\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
