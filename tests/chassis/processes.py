"""Real processes of services: started with settings in their environment, asked over HTTP, ended by signals."""

import base64
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import closing, suppress

import eventlet

from tests.stack import until

NEEDED = ("PATH", "HOME", "LANG", "PYTHONPATH", "LD_LIBRARY_PATH")


def environment(settings, **variables):
    """The variables of a process with these settings."""
    return {
        **{name: os.environ[name] for name in NEEDED if name in os.environ},
        "PYTHONWARNINGS": "ignore",
        "AMQP_URI": settings.amqp_uri,
        "MONGO_URI": settings.mongo_uri,
        "DATABASE_PREFIX": settings.database_prefix,
        "TOKEN_PUBLIC_KEY": base64.b64encode(settings.token_public_key.encode()).decode(),
        "SEALING_KEY": base64.b64encode(settings.sealing_key).decode(),
        "HEARTBEAT": "2",
        "RELAY_SWEEP": "0.1",
        **variables,
    }


class Process:
    """`python -m MODULE NAME...`, whose log goes to a file."""

    def __init__(self, settings, log, module, *names, **variables):
        with closing(eventlet.listen(("127.0.0.1", 0))) as free:
            self.port = free.getsockname()[1]
        self._log = log
        variables = {"HEALTH_PORT": str(self.port), **variables}
        with log.open("ab") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *names],
                env=environment(settings, **variables), stderr=stderr, stdout=stderr,
            )  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    def ready(self):
        """This process, once it can work."""
        until(lambda: self._process.poll() is not None or self.get("/ready")[0] == 200)
        assert self._process.poll() is None, self.log
        return self

    def get(self, path):
        """Status and text of this page; status 0 where nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def terminate(self):
        self._process.send_signal(signal.SIGTERM)

    def exit_code_now(self):
        """Its exit code; None while it runs."""
        return self._process.poll()

    def exit_code(self, within=15.0):
        """Its exit code, once it ended."""
        until(lambda: self._process.poll() is not None, within)
        return self._process.returncode

    @property
    def log(self):
        return self._log.read_text(encoding="utf-8")

    @property
    def lines(self):
        """The lines of its log that are JSON objects."""
        found = []
        for line in self.log.splitlines():
            with suppress(ValueError):
                found.append(json.loads(line))
        return found
