"""The whole stack as an operator runs it: `./kexie up` in a home of its own, reached over HTTP and RPC only."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64decode
from datetime import timedelta

import eventlet
import msgspec

from deploy.local.broker import Broker
from deploy.local.health import is_ready
from deploy.local.home import Home
from deploy.local.home_keys import sealing_key, token_keys
from deploy.local.stack_file import Stack
from deploy.local.supervisor import ending_with_parent
from deploy.secrets.private_files import CHECKOUT
from services.chassis.settings import Settings
from services.chassis.tokens import issue

NOT_TOLD = ("AMQP_URI", "MONGO_URI", "TOKEN_PRIVATE_KEY", "TOKEN_PUBLIC_KEY", "GATEWAY_URL", "KEXIE_TOKEN")
FIVE = ("awards", "outreach", "rural", "members", "gateway")


class Whole:
    """A running `./kexie up`, and the ways to reach and to hurt it."""

    def __init__(self, folder):
        self.home = Home(folder)
        self._told = folder.with_suffix(".output")
        told = {name: value for name, value in os.environ.items() if name not in NOT_TOLD}
        self._environment = told | {"KEXIE_HOME": str(folder)}
        self.start()

    def start(self):
        with self._told.open("w") as output:
            self.popen = subprocess.Popen(
                (*ending_with_parent(), sys.executable, "-m", "deploy", "up"),
                cwd=CHECKOUT,
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def be_up(self):
        """Start the same stack on the same data where a test before ended it, or wait until what it ended is back."""
        if self.popen.poll() is not None:
            self.start()
            self.wait_until_ready()
        eventually(lambda: all(is_ready(part) for part in self.stack.parts), within=90)

    def wait_until_ready(self):
        eventually(lambda: "Ctrl-C stops it" in self._told.read_text() or self.popen.poll() is not None, within=90)
        assert self.popen.poll() is None, self._told.read_text()

    def stop(self):
        """As Ctrl-C does; the exit code and the seconds it took."""
        started = time.monotonic()
        self.popen.send_signal(signal.SIGINT)
        return self.popen.wait(timeout=60), time.monotonic() - started

    @property
    def stack(self):
        return msgspec.json.decode((self.home.folder / "stack.json").read_bytes(), type=Stack)

    @property
    def settings(self):
        addresses, keys = self.stack.addresses, token_keys(self.home)
        return Settings(
            amqp_uri=addresses.amqp_uri,
            mongo_uri=addresses.mongo_uri,
            token_public_key=keys.public,
            token_private_key=keys.private,
            sealing_key=b64decode(sealing_key(self.home)),
        )

    def token(self, subject="u-li", roles=("recorder",), district=None, lifetime=timedelta(hours=1)):
        key = token_keys(self.home).private
        return issue(key, subject=subject, roles=roles, district=district, lifetime=lifetime)

    def kill(self, name):
        """As a crash does; returns when the supervisor has started it again and it is ready."""
        before = self.stack.part(name).process
        os.kill(before.pid, signal.SIGKILL)
        eventually(lambda: self.stack.part(name).process != before and is_ready(self.stack.part(name)))

    def broker(self, *arguments):
        """`rabbitmqctl` of the embedded node: stop_app and start_app take the broker away and bring it back."""
        return Broker(self.home).control(*arguments)

    def kexie(self, *arguments):
        """Give one of the operator's commands and wait for its end."""
        command = (sys.executable, "-m", "deploy", *arguments)
        return subprocess.run(
            command, cwd=CHECKOUT, env=self._environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False,
        )  # fmt: skip

    def get(self, path, token=None, **headers):
        return self.ask("GET", path, token=token, **headers)

    def post(self, path, body, token=None, **headers):
        return self.ask("POST", path, body=json.dumps(body).encode(), token=token, **headers)

    def ask(self, method, path, *, body=None, token=None, **headers):
        """Status and JSON answer, of errors too."""
        request = urllib.request.Request(self.stack.addresses.gateway_url + path, data=body, method=method)
        request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def kpi(self, code, **question):
        query = "&".join(f"{name}={value}" for name, value in question.items())
        status, answer = self.get(f"/api/v1/kpis/{code}?{query}", self.token(roles=["viewer"]))
        assert status == 200, answer
        return answer


def eventually(condition, *, within=60):
    """The first true answer; AssertionError when there is none in time."""
    deadline = time.monotonic() + within
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {within} s"
        eventlet.sleep(0.05)
    return answer
