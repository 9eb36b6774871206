"""What the operators' commands ask the gateway, what they print, and how they end."""

import os
import signal
import ssl
import subprocess
from datetime import datetime

import pytest
from click.testing import CliRunner

from deploy.__main__ import kexie
from deploy.local import stack_file
from deploy.local.home import Home
from deploy.local.processes import process_of
from deploy.local.stack_file import Addresses, Stack
from deploy.secrets.certificate_authority import Authority
from deploy.secrets.private_files import CHECKOUT
from tests.deploy import running
from tests.deploy.running import COMMAND, environment, eventually
from tests.deploy.stand_in import AT_EASE, OVERVIEW

BEGUN = {
    "job": "audit", "state": "running", "by": "operator", "why": None, "started_at": "2011-05-14T10:00:00.000+08:00",
    "ended_at": None, "seconds": 0.5, "at": "outreach.audience_count", "done": 2_000, "total": 4_000, "unit": "records",
    "found": [], "found_count": 0, "error": None,
}  # fmt: skip
DONE = BEGUN | {"state": "done", "ended_at": "2011-05-14T10:00:01.250+08:00", "seconds": 1.25, "done": 4_000}
BEHIND = {"service": "awards", "kind": "award", "id": "r-1", "version": 2, "copy": 1, "rows": 1, "what": "behind"}
UNKNOWN = BEHIND | {"version": 0, "what": "unknown"}
CHANGED = {"service": "awards", "kind": "award", "id": "r-7", "version": 3, "at": "gateway", "what": "hash"}
WRONG_KEY = {"service": "awards", "kind": "", "id": "sealing_key", "at": "key", "what": "key"}
HIDDEN = CHANGED | {"at": "text", "what": "title U+200B"}

HERE = datetime.fromisoformat(BEGUN["started_at"]).astimezone().strftime("%Y-%m-%d %H:%M:%S")

ITEM = {
    "id": "4dcdd1b0aa", "queue": "outreach.from.rural", "exchange": "rural.events", "routing_key": "x", "size": 2,
    "error": "NotAnEvent: [red]no[/red]\x1b[2J", "parked_at": "2011-05-14T10:00:00.000+08:00", "state": "waiting",
    "tries": 4, "due_at": None, "alarm": True, "settled_at": None, "settled_by": None, "why": None,
    "service": "outreach",
}  # fmt: skip


def test_a_job_is_followed_to_its_end_and_told_in_a_line(operator):
    operator.told_by_gateway("POST audit", (202, BEGUN))
    operator.told_by_gateway("GET audit", (200, BEGUN), (503, {"en": "Not now."}), (200, DONE))

    done = operator.gives("audit")

    assert done.exit_code == 0, done.output
    assert done.stdout == "audit: done, 4,000 records in 1.25 s (3,200 records/s), nothing found\n"


@pytest.mark.parametrize(
    ("job", "found", "code", "advice"),
    [
        ("audit", [BEHIND], 1, "./kexie rearm"),
        ("audit", [BEHIND, UNKNOWN], 1, "./kexie rebuild"),
        ("rearm", [BEHIND], 0, "./kexie audit"),
        ("rearm", [UNKNOWN], 1, "./kexie rebuild"),
        ("verify", [CHANGED], 1, "./kexie rebuild"),
        ("verify", [CHANGED | {"at": "service"}], 1, "from a backup"),
        ("verify", [HIDDEN], 0, "characters that nobody can see"),
        ("verify", [HIDDEN, CHANGED], 1, "./kexie rebuild"),
        ("audit", [WRONG_KEY], 1, "put the old one back"),
        ("audit", [BEHIND, WRONG_KEY | dict.fromkeys(("version", "copy", "rows"))], 1, "./kexie rearm"),
        ("verify", [WRONG_KEY], 1, "put the old one back"),
        ("rebuild", [CHANGED], 1, "./kexie verify"),
    ],
)
def test_what_a_job_found_is_shown_with_what_to_do_next(operator, job, found, code, advice):
    operator.told_by_gateway(f"POST {job}", (202, DONE | {"job": job, "found": found, "found_count": len(found)}))

    done = operator.gives(job, "--why", "a drill")

    assert done.exit_code == code
    assert all(one["id"] in done.stdout for one in found)
    assert advice in done.stdout.splitlines()[-1]
    assert operator.server.asked == [(f"POST {job}", {"why": "a drill"})]


def test_the_first_fifty_of_many_are_shown(operator):
    found = [BEHIND | {"id": f"r-{number}"} for number in range(1_000)]
    operator.told_by_gateway("POST audit", (202, DONE | {"found": found, "found_count": 1_200}))

    lines = operator.gives("audit").stdout.splitlines()

    assert len([line for line in lines if " r-" in line]) == 50
    assert lines[51] == "and 1,150 more"


def test_a_job_that_failed_ends_with_1_and_its_error(operator):
    error = {"en": "rural did not answer; the others were compared.", "zh": "rural 无响应"}
    operator.told_by_gateway("POST audit", (202, DONE | {"state": "failed", "error": error}))

    done = operator.gives("audit")

    assert done.exit_code == 1
    assert "audit: failed (rural did not answer; the others were compared.)" in done.stdout


def test_while_one_is_at_work_the_next_is_refused_and_can_be_followed(operator):
    operator.told_by_gateway("POST rebuild", (409, {"en": "rebuild is at work already."}))
    operator.told_by_gateway("GET rebuild", (200, DONE | {"job": "rebuild"}))

    refused = operator.gives("rebuild", "--why", "a drill")
    followed = operator.gives("rebuild", "--follow")

    assert (refused.exit_code, followed.exit_code) == (1, 0)
    assert refused.stderr == "Error: rebuild is at work already. `./kexie rebuild --follow` shows how far it is.\n"


def test_what_changes_something_needs_a_reason(operator):
    changing = ("rearm", "rebuild", "parked replay 4d", "parked discard 4d")
    ended = [operator.gives(*command.split()) for command in changing]

    assert [(done.exit_code, done.stderr.splitlines()[-1]) for done in ended] == [
        (2, "Error: Missing option '--why'.")
    ] * 4
    assert operator.server.asked == []


def test_ctrl_c_leaves_the_job_at_work_and_says_so(operator, tmp_path):
    operator.told_by_gateway("POST audit", (202, BEGUN))
    operator.told_by_gateway("GET audit", (200, BEGUN))
    told = environment(tmp_path, **operator.told)
    popen = subprocess.Popen((*COMMAND, "audit"), cwd=CHECKOUT, env=told, stderr=subprocess.PIPE, text=True)

    eventually(lambda: ("GET audit", None) in operator.server.asked)
    popen.send_signal(signal.SIGINT)
    eventually(lambda: popen.poll() is not None)

    with popen.stderr:
        assert "The audit goes on at the gateway; `./kexie audit --follow` shows" in popen.stderr.read()
    assert popen.returncode == 130


@pytest.mark.parametrize("command", ["audit", "verify", "parked list", "parked show 4d"])
def test_no_gateway_is_told_in_a_line(command):
    done = CliRunner(env={"GATEWAY_URL": "http://127.0.0.1:1", "KEXIE_TOKEN": "t"}).invoke(kexie, command.split())

    assert done.exit_code == 1
    assert done.stderr.startswith("Error: http://127.0.0.1:1 does not answer (")
    assert len(done.stderr.splitlines()) == 1


def test_a_gateway_of_a_private_authority_is_believed_where_that_is_named(operator, tmp_path):
    authority, other = Authority.new(), Authority.new()
    for name, text in {
        "ca": authority.certificate,
        "other": other.certificate,
        "server": authority.issue(["localhost"]),
    }.items():
        (tmp_path / name).write_text(text)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server")
    operator.server.socket = context.wrap_socket(operator.server.socket, server_side=True)
    operator.told["GATEWAY_URL"] = f"https://localhost:{operator.server.server_port}"
    operator.told_by_gateway("GET parked", (200, {"items": [], "total": 0, "cursor": None}))

    def lists(**trusting):
        told = operator.told | trusting
        return running.kexie(Home(tmp_path / "home"), "parked", "list", **told)

    assert lists(KEXIE_CA=str(tmp_path / "ca")).returncode == 0
    assert "certificate verify failed" in lists(KEXIE_CA=str(tmp_path / "other")).stderr
    assert "certificate verify failed" in lists().stderr


def test_a_token_that_does_not_suffice_is_told_in_the_gateways_words(operator):
    operator.told_by_gateway("POST audit", (403, {"en": "Your role or district does not allow this."}))

    assert operator.gives("audit").stderr == "Error: Your role or district does not allow this.\n"


# --- parked messages -------------------------------------------------------------------------------------------------


def parked(operator, *items):
    operator.told_by_gateway("GET parked", (200, {"items": items, "total": len(items), "cursor": None}))


def test_parked_messages_are_listed_and_none_of_them_steers_the_terminal(operator):
    parked(operator, ITEM)

    listed = operator.gives("parked", "list", "--service", "outreach")

    assert operator.server.asked == [("GET parked?service=outreach&state=waiting&limit=100", None)]
    (line,) = listed.stdout.splitlines()[1:]
    assert line.split()[:2] == ["4dcdd1b0aa", "outreach"]
    assert "NotAnEvent: [red]no[/red]\\x1b[2J" in line
    assert line.split()[-2:] == ["4", "ALARM"]


def test_no_list_is_whole_where_a_service_is_away(operator):
    page = {"items": [], "total": 0, "cursor": None, "away": ["rural"]}
    operator.told_by_gateway("GET parked", (200, page))

    listed = operator.gives("parked", "list")

    assert listed.exit_code == 1
    assert listed.stdout == "No message is waiting at the others.\nAway, and so not listed: rural\n"


def test_who_settled_a_message_and_why_is_listed(operator):
    settled = {"state": "discarded", "settled_at": "2011-05-14T10:00:00.000+08:00", "settled_by": "u-1", "why": "noise"}
    parked(operator, ITEM | settled)

    assert operator.gives("parked", "list", "--settled").stdout.split()[-5:] == [
        "discarded", *HERE.split(), "u-1", "noise",
    ]  # fmt: skip


def test_the_beginning_of_an_id_is_enough_where_it_is_the_only_one(operator):
    parked(operator, ITEM, ITEM | {"id": "4dcdffff"})
    operator.told_by_gateway(
        "POST parked/outreach/4dcdd1b0aa/discard", (200, ITEM | {"state": "discarded", "settled_by": "operator"})
    )

    two = operator.gives("parked", "discard", "4dcd", "--service", "outreach", "--why", "noise")
    none = operator.gives("parked", "discard", "5", "--service", "outreach", "--why", "noise")
    one = operator.gives("parked", "discard", "4dcdd", "--service", "outreach", "--why", "noise")

    assert (two.exit_code, none.exit_code, one.exit_code) == (1, 1, 0)
    assert two.stderr == "Error: 2 messages begin with 4dcd; give more of the id.\n"
    assert none.stderr == "Error: No parked message begins with 5; `./kexie parked list` shows them.\n"
    assert one.stdout == "4dcdd1b0aa at outreach: discarded by operator.\n"
    assert operator.server.asked[-1] == ("POST parked/outreach/4dcdd1b0aa/discard", {"why": "noise"})


def test_a_message_is_shown_with_its_text(operator):
    parked(operator, ITEM)
    long = {"body": '{"id":"\u001b"}', "properties": {"message_id": "m-1"}, "traceback": "Traceback ...\n"}
    operator.told_by_gateway("GET parked/outreach/4dcdd1b0aa", (200, ITEM | long))

    shown = operator.gives("parked", "show", "4d", "--service", "outreach")

    assert shown.exit_code == 0
    assert "message_id   m-1" in shown.stdout
    assert '{"id":"\\x1b"}' in shown.stdout
    assert shown.stdout.endswith("Traceback ...\n")


# --- the whole system ------------------------------------------------------------------------------------------------


def test_status_tells_services_queues_answers_and_jobs(operator):
    jobs = {"audit": {name: value for name, value in DONE.items() if name != "found"}}
    operator.told_by_gateway("GET status", (200, OVERVIEW | {"gateway": OVERVIEW["gateway"] | {"jobs": jobs}}))

    status = operator.gives("status")

    assert status.exit_code == 0
    assert [line.split() for line in status.stdout.splitlines()[1:3]] == [
        ["awards", "0.2.0", "0", "0", "0", *HERE.split()],
        ["outreach", "0.2.0", "4", "1", "min", "2", "s", "0", "0"],
    ]
    *_, queues, answers, last = status.stdout.splitlines()
    assert (queues, answers) == ("queues: gateway.ledger 3", "answers: complete")
    assert last.startswith("last audit: done, 4,000 records")
    assert last.endswith(f"begun {HERE} by operator")


def test_status_tells_the_processes_where_the_gateway_does_not_answer(tmp_path):
    addresses = Addresses(amqp_uri="amqp://x", mongo_uri="mongodb://x", gateway_url="http://127.0.0.1:1")
    stack_file.write(Stack(supervisor=process_of(os.getpid()), addresses=addresses), Home(tmp_path))

    status = CliRunner(env={"KEXIE_HOME": str(tmp_path)}).invoke(kexie, ["status"])

    assert status.exit_code == 1
    assert status.stdout.split()[:2] == ["part", "pid"]
    assert "gateway: http://127.0.0.1:1 does not answer" in status.stdout


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"services": {"awards": AT_EASE, "rural": {"away": True}}}, "AWAY"),
        ({"complete": False, "reasons": [{"service": "awards", "en": "3 records are missing"}]}, "  awards: 3 records"),
        ({"troubles": [{"code": "disk_full", "en": "The disk is full."}]}, "WRONG: The disk is full.\n service "),
    ],
)
def test_status_ends_with_1_where_a_service_is_away_or_answers_are_not_complete(operator, wrong, told):
    operator.told_by_gateway("GET status", (200, OVERVIEW | wrong))

    status = operator.gives("status")

    assert status.exit_code == 1
    assert told in status.stdout


PLAN = CHECKOUT / "gateway" / "plans" / "2011.yaml"


def test_a_plan_file_is_checked_here_and_put_into_force_with_a_reason(operator):
    operator.told_by_gateway("POST /api/v1/plans", (200, {"version": 2}))

    checked = operator.gives("plan", "check", str(PLAN))
    applied = operator.gives("plan", "apply", str(PLAN), "--why", "lectures count too")

    assert (checked.exit_code, applied.exit_code) == (0, 0)
    assert "62 items" in checked.stdout
    assert "Version 2 is in force" in applied.stdout
    assert operator.server.asked == [
        ("POST /api/v1/plans", {"file": PLAN.read_text(), "why": "lectures count too"}),
    ]


def test_a_broken_plan_file_is_told_line_by_line_and_reaches_no_gateway(operator, tmp_path):
    broken = tmp_path / "2011.yaml"
    broken.write_text(PLAN.read_text().replace("on: held_on", "on: held", 1))

    for command in (("check",), ("apply", "--why", "x")):
        done = operator.gives("plan", command[0], str(broken), *command[1:])

        assert done.exit_code == 1
        assert done.stderr.startswith("2011.yaml:")
    assert operator.server.asked == []


# --- recounts ---------------------------------------------------------------------------------------------------------

SIDE = {"version": 2, "day": "2011-05-14", "amount": 300}
PART = {
    "part": "counted", "title": {"zh": "人次", "en": "audience"}, "of": "outreach.audience_count", "measure": "sum",
    "ours": {"value": 1_200, "records": 4}, "theirs": {"value": 1_500, "records": 5},
    "shown": {"value": 1_200, "records": 4}, "differing": 1, "equal": False,
}  # fmt: skip
LACKING = {
    "part": "counted", "service": "outreach", "kind": "audience_count", "id": "c-7", "what": "only_there",
    "here": {"version": 1, "day": None, "amount": None}, "there": SIDE, "history": "/api/v1/records/x",
}  # fmt: skip
COUNTING = {
    "id": "abc", "kpi": "K2", "plan": 2011, "period": "2011", "first": "2011-01-01", "last": "2011-12-31",
    "district": None, "state": "running", "by": "operator", "started_at": BEGUN["started_at"], "ended_at": None,
    "seconds": 0.5, "at": "counted outreach.audience_count", "done": 0, "total": 5, "revision": None, "equal": None,
    "differing": 0, "parts": [], "records": [], "error": None,
}  # fmt: skip
DIFFERS = COUNTING | {
    "state": "done", "ended_at": DONE["ended_at"], "seconds": 1.25, "done": 5, "equal": False, "differing": 1,
    "parts": [PART], "records": [LACKING],
}  # fmt: skip
EQUAL = DIFFERS | {"equal": True, "differing": 0, "parts": [PART | {"equal": True}], "records": []}
RECOUNTS = "/api/v1/recounts"


def test_a_recount_is_followed_to_its_end_and_ends_with_0_where_all_is_equal(operator):
    operator.told_by_gateway(f"POST {RECOUNTS}", (202, COUNTING))
    operator.told_by_gateway(f"GET {RECOUNTS}/abc", (200, COUNTING), (503, {"en": "Not now."}), (200, EQUAL))

    done = operator.gives(*"recount K2 --period 2011Q2 --district 511102".split())

    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1] == "recount of K2, 2011: equal, 5 records in 1.25 s"
    asked = {"kpi": "K2", "period": "2011Q2", "district": "511102"}
    assert operator.server.asked[0] == (f"POST {RECOUNTS}", asked)


def test_what_differs_at_a_recount_is_a_table_and_ends_with_1(operator):
    operator.told_by_gateway(f"POST {RECOUNTS}", (202, DIFFERS))

    done = operator.gives("recount", "K2")

    assert done.exit_code == 1
    assert [line.split() for line in done.stdout.splitlines()][1] == [
        "counted", "outreach.audience_count", "1,200", "1,500", "1,200", "5", "1",
    ]  # fmt: skip
    (named,) = [line for line in done.stdout.splitlines() if "c-7" in line]
    assert "only there" in named
    assert "does not count (version 1)" in named
    assert "300 on 2011-05-14 (version 2)" in named
    assert "NOT EQUAL, 1 differing" in done.stdout
    assert "./kexie verify" in done.stdout.splitlines()[-1]


def test_a_shown_number_that_is_another_one_is_counted_anew_by_a_rebuild(operator):
    part = PART | {"theirs": PART["ours"], "differing": 0, "shown": {"value": 7, "records": 1}}
    told = DIFFERS | {"differing": 0, "records": [], "parts": [part]}
    operator.told_by_gateway(f"POST {RECOUNTS}", (202, told))

    done = operator.gives("recount", "K2")

    assert (done.exit_code, "./kexie rebuild" in done.stdout.splitlines()[-1]) == (1, True)


def test_a_recount_that_failed_ends_with_1_and_its_error(operator):
    told = DIFFERS | {"state": "failed", "equal": None, "error": {"en": "rural did not answer.", "zh": "无响应"}}
    operator.told_by_gateway(f"POST {RECOUNTS}", (202, told))

    done = operator.gives("recount", "K2")

    assert done.exit_code == 1
    assert done.stdout.splitlines()[-1].startswith("recount of K2, 2011: failed (rural did not answer.)")
