"""What `kexie import` sends, what it prints, what it saves, and how it ends."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from click.testing import CliRunner

from deploy.__main__ import kexie

BEGUN = {
    "id": "i-1", "service": "outreach", "command": "record_count", "filename": "counts.csv", "bytes": 12, "sha256": "",
    "by": "u-li", "dry_run": False, "state": "waiting", "phase": "reading", "done": 0, "total": 0, "wrong_rows": 0,
    "errors": 0, "hidden_rows": 0, "first_hidden_rows": [], "problem": None,
    "created_at": "2011-05-14T10:00:00.000+08:00", "ended_at": None, "first_errors": [],
}  # fmt: skip
RUNNING = BEGUN | {"state": "running", "phase": "checking", "done": 500, "total": 1_400}
DONE = RUNNING | {"state": "done", "phase": "writing", "done": 1_400}
WRONG = {
    "row": 9,
    "cell": "B9",
    "field": "day",
    "code": "invalid_input",
    "zh": "日期格式如 2011-05-14。",
    "en": "A day.",
}
REFUSED = RUNNING | {"state": "refused", "wrong_rows": 7, "errors": 7, "first_errors": [WRONG]}
UPLOAD = "POST outreach/record_count"


class Door(BaseHTTPRequestHandler):
    """The gateway's address: answers as a test says, and keeps what it was sent."""

    def do_GET(self):
        self._answer(b"")

    def do_POST(self):
        self._answer(self.rfile.read(int(self.headers["Content-Length"] or 0)))

    def _answer(self, body):
        asked = f"{self.command} {self.path.removeprefix('/api/v1/imports/')}"
        self.server.asked.append((asked, self.headers["Idempotency-Key"], body))
        answers = self.server.answers.get(asked.partition("?")[0], [(404, {"en": "There is no such thing."})])
        status, said = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(said if isinstance(said, bytes) else json.dumps(said).encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def door():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.answers, server.asked = {}, []
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def sheet(tmp_path):
    path = tmp_path / "counts.csv"
    path.write_bytes(b"the sheet")
    return path


def give(door, sheet, *options):
    told = {"GATEWAY_URL": f"http://127.0.0.1:{door.server_port}", "KEXIE_TOKEN": "t"}
    command = ("import", "outreach", "record_count", str(sheet), "--id", "i-1", *options)
    done = CliRunner(env=told).invoke(kexie, command)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def test_a_sheet_is_uploaded_and_followed_to_its_end(door, sheet):
    door.answers = {UPLOAD: [(202, BEGUN)], "GET i-1": [(200, RUNNING), (503, {"en": "Not now."}), (200, DONE)]}

    done = give(door, sheet)

    assert (done.exit_code, done.stdout) == (0, "import done: 1,400 rows written\n")
    assert door.asked[0] == (f"{UPLOAD}?dry_run=false&filename=counts.csv", "i-1", b"the sheet")


def test_bad_rows_are_shown_and_the_marked_sheet_is_saved_beside_the_original(door, sheet):
    door.answers = {UPLOAD: [(202, REFUSED)], "GET i-1/file": [(200, b"the sheet, marked")]}

    done = give(door, sheet, "--dry-run")

    assert done.exit_code == 1
    assert all(word in done.stdout for word in ("B9", "日期格式", "and 6 more", "7 of 1,400 rows are wrong"))
    assert (sheet.parent / "counts.errors.csv").read_bytes() == b"the sheet, marked"
    assert "counts.errors.csv" in done.stdout
    assert door.asked[0][0] == f"{UPLOAD}?dry_run=true&filename=counts.csv"


def test_what_was_judged_before_is_written_when_it_is_given_again_with_its_id(door, sheet):
    checked = RUNNING | {"state": "checked", "dry_run": True, "done": 1_400}
    door.answers = {UPLOAD: [(202, checked)], "POST i-1/confirm": [(202, BEGUN)], "GET i-1": [(200, DONE)]}

    judged = give(door, sheet, "--dry-run")
    written = give(door, sheet)

    assert (judged.exit_code, written.exit_code) == (0, 0)
    assert f"./kexie import outreach record_count {sheet} --id i-1` writes it." in judged.stdout
    assert [asked for asked, _, _ in door.asked][2:] == ["POST i-1/confirm", "GET i-1"]


def test_hidden_rows_are_shown_and_written_when_the_sheet_is_given_again(door, sheet):
    hidden = RUNNING | {"state": "checked", "hidden_rows": 21, "first_hidden_rows": list(range(3, 23))}
    door.answers = {UPLOAD: [(202, hidden)], "POST i-1/confirm": [(202, DONE)]}

    shown = give(door, sheet, "--dry-run")
    door.answers[UPLOAD] = [(202, hidden | {"state": "waiting"})]
    door.answers["GET i-1"] = [(200, hidden)]
    not_written = give(door, sheet)

    assert "21 rows are hidden in the sheet, wholly or in part: 3, 4, 5" in shown.stdout
    assert "22 ..." in shown.stdout
    assert not_written.exit_code == 1
    assert f"./kexie import outreach record_count {sheet} --id i-1` writes it." in not_written.stdout


def test_an_import_that_failed_or_was_refused_at_once_says_why(door, sheet):
    door.answers = {
        UPLOAD: [(202, BEGUN | {"state": "failed", "problem": {"zh": "文件已损坏", "en": "It is broken."}})]
    }
    assert (give(door, sheet).exit_code, give(door, sheet).stdout) == (1, "import failed: It is broken.\n")

    door.answers = {UPLOAD: [(403, {"en": "Your role does not allow this."})]}
    refused = give(door, sheet)
    assert (refused.exit_code, "Your role does not allow this." in refused.output) == (1, True)
