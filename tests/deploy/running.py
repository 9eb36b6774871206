"""Starts the command line as a person would, and waits for what it does."""

import os
import subprocess
import sys
from contextlib import contextmanager

import msgspec
from kombu import Connection
from kombu.exceptions import OperationalError
from pymongo import MongoClient

from deploy.local.stack_file import Stack
from deploy.local.supervisor import ending_with_parent
from deploy.secrets.private_files import CHECKOUT
from tests.waiting import poll

OURS = ("AMQP_URI", "MONGO_URI", "KEXIE_HOME", "TOKEN_PRIVATE_KEY", "GATEWAY_URL", "KEXIE_TOKEN", "KEXIE_CA")
COMMAND = (sys.executable, "-m", "tests.deploy.command_line_with_stand_ins")


def eventually(condition, *, within=20):
    """Return the first true answer; fail where there is none in time."""
    answer = poll(condition, within=within, every=0.05)
    assert answer, f"not within {within} s"
    return answer


def kexie(home, *arguments, **told):
    """Run a command to its end."""
    return subprocess.run(
        (*COMMAND, *arguments), cwd=CHECKOUT, env=environment(home, **told), capture_output=True, text=True, check=False
    )


def environment(home, **told):
    """The environment of a command of its own: nothing of the stack nor of the worker of pytest that runs the test."""
    rest = {name: value for name, value in os.environ.items() if name not in OURS and not name.startswith("PYTEST_")}
    return rest | {"KEXIE_HOME": str(home)} | told


class Up:
    """A running `./kexie up`."""

    def __init__(self, home, **told):
        self.home = home
        self._output = home.with_suffix(".output")
        with self._output.open("w") as output:
            self.popen = subprocess.Popen(
                (*ending_with_parent(), *COMMAND, "up"),
                cwd=CHECKOUT,
                env=environment(home, **told),
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait_until_ready(self):
        eventually(lambda: "Ctrl-C stops it" in self.said or self.popen.poll() is not None, within=50)
        assert self.popen.poll() is None, self.said

    def stop(self, number):
        self.popen.send_signal(number)
        return self.popen.wait(timeout=30)

    @property
    def said(self):
        return self._output.read_text()

    @property
    def stack(self):
        return msgspec.json.decode((self.home / "stack.json").read_bytes(), type=Stack)

    def process(self, name):
        return self.stack.part(name).process


@contextmanager
def ups(*homes, **told):
    """Side by side, all ready; whatever is left of them is ended."""
    started = [Up(home, **told) for home in homes]
    try:
        for up in started:
            up.wait_until_ready()
        yield started
    finally:
        for up in started:
            if up.popen.poll() is None:
                up.popen.terminate()
                up.popen.wait(timeout=30)


@contextmanager
def records_of(up):
    with MongoClient(up.stack.addresses.mongo_uri, serverSelectionTimeoutMS=5_000) as client:
        yield client.kexie_test.records


def post(up, text):
    confirmed = Connection(up.stack.addresses.amqp_uri, transport_options={"confirm_publish": True})
    with confirmed as connection, connection.SimpleQueue("letters") as letters:
        letters.put(text)


def fetch(up):
    with Connection(up.stack.addresses.amqp_uri) as connection, connection.SimpleQueue("letters") as letters:
        letter = letters.get(timeout=5)
        letter.ack()
        return letter.payload


def fetch_if_reached(up):
    """None while the broker is away."""
    try:
        return fetch(up)
    except OperationalError:
        return None
