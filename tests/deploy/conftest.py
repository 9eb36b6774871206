"""An operator at the command line, and a gateway that answers as a test says."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from click.testing import CliRunner

from deploy.__main__ import kexie


class Door(BaseHTTPRequestHandler):
    """The gateway's address: answers as a test says, and keeps what it was asked."""

    def do_GET(self):
        self._answer(None)

    def do_POST(self):
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, body):
        asked = f"{self.command} {self.path.removeprefix('/api/v1/operations/')}"
        self.server.asked.append((asked, body))
        answers = self.server.answers.get(asked.partition("?")[0], [(404, {"en": "There is no such thing."})])
        status, said = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(said).encode())

    def log_message(self, *_):
        pass


class Operator:
    """Gives commands to a gateway that answers as told; the last of several answers is given again and again."""

    def __init__(self, server):
        self.server = server
        self.told = {"GATEWAY_URL": f"http://127.0.0.1:{server.server_port}", "KEXIE_TOKEN": "t"}

    def told_by_gateway(self, asked, *answers):
        self.server.answers[asked] = list(answers)

    def gives(self, *command, typed=None):
        done = CliRunner(env=self.told).invoke(kexie, command, input=typed)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done


@pytest.fixture
def operator():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.answers, server.asked = {}, []
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield Operator(server)
    server.shutdown()
    server.server_close()
