"""What operators fear: the broker stops, processes are killed. Nothing is lost and nothing counted twice."""

import itertools

import eventlet
import pytest

from gateway.plans import plan_file
from gateway.reporting.plan_history import PLANS
from services.chassis.client import Caller
from services.chassis.problem import Unavailable
from tests.journeys.prizes import a_prize, reported, reported_so_far
from tests.journeys.whole import FIVE, eventually

REPORT = "/api/v1/awards/report_external_result"
NUMBER = itertools.count(1)
PEOPLE = {
    "u-li": ["recorder"], "u-wang": ["verifier"], "u-zhang": ["chair"], "u-qian": ["finance"], "u-viewer": ["viewer"],
}  # fmt: skip
FILE = PLANS / "2011.yaml"
RULES = {kpi.code: kpi.rule for _, kpi in plan_file.read(FILE.name, FILE.read_bytes()).kpis()}


@pytest.mark.timeout(150)
def test_a_hundred_commands_sent_while_the_broker_is_away_all_arrive_once(whole):
    before = reported_so_far(whole)
    assert whole.post(REPORT, a_prize(), whole.token())[0] == 200
    eventually(lambda: reported(whole) == (before + 1, before + 1))
    whole.broker("stop_app")
    try:
        answers = [whole.post(REPORT, a_prize(), whole.token(), Idempotency_Key=f"away-{n}") for n in range(100)]
    finally:
        whole.broker("start_app")

    assert {status for status, _ in answers} == {202}
    eventually(lambda: reported(whole) == (before + 101, before + 101), within=60)
    states = [whole.get(f"/api/v1/commands/away-{n}", whole.token())[1]["state"] for n in range(100)]
    assert states == ["done"] * 100


@pytest.mark.timeout(300)
def test_every_process_killed_under_load_loses_and_doubles_nothing(whole):
    with Load(whole) as load:
        for name in FIVE:
            seen = dict(load.told)
            eventually(lambda seen=seen: all(load.told[code] > seen[code] for code in load.told))
            whole.kill(name)
        seen = dict(load.told)
        eventually(lambda: all(load.told[code] > seen[code] for code in load.told))
        load.stop()

        eventually(lambda: {code: whole.kpi(code)["value"] for code in load.told} == load.told)
        assert {code: load.tally(code) for code in load.told} == load.told


class Load:
    """Clerks who enter prizes, audiences, receipts and universities, and know what the numbers have to be."""

    def __init__(self, whole):
        self.told = {code: whole.kpi(code)["value"] or 0 for code in ("K1", "K2", "K5", "K6")}
        self._caller = Caller(whole.settings, "journey")
        self._tokens = {by: whole.token(by, roles) for by, roles in PEOPLE.items()}
        self._going = True

    def __enter__(self):
        self._reading = eventlet.spawn(self._caller.link.run)
        clerks = (self._a_prize, self._an_audience, self._some_money, self._a_university)
        self._clerks = [eventlet.spawn(self._keep, clerk) for clerk in clerks * 2]
        return self

    def __exit__(self, *_):
        self.stop()
        self._caller.link.stop()
        self._reading.wait()

    def stop(self):
        self._going = False
        for clerk in self._clerks:
            clerk.wait()

    def tally(self, code):
        """The owning service's own count of 2011."""
        rule = RULES[code]
        period = {"first": "2011-01-01", "last": "2011-12-31"}
        return self._do("u-viewer", rule.of.service, "tally", rule=rule.say(), **period)["value"]

    def _keep(self, clerk):
        while self._going:
            clerk(next(NUMBER))

    def _a_prize(self, number):
        self._command("u-li", "awards", "report_external_result", result_id=f"r-{number}", **a_prize())
        self._command("u-wang", "awards", "verify_external_result", result_id=f"r-{number}")
        self.told["K1"] += 1

    def _an_audience(self, number):
        venue, activity, count = (
            {"venue_id": f"v-{number}"},
            {"activity_id": f"a-{number}"},
            {"count_id": f"n-{number}"},
        )
        place = {"venue_kind": "hall", "name": "馆", "district": "511102"}
        plan = {"title": "讲座", "format": "lecture", "delivery": "on_site", "lead_org_id": "o-1"}
        self._command("u-li", "outreach", "register_venue", **venue, **place)
        self._command("u-li", "outreach", "create_activity", **activity, **plan, district="511102", days=["2011-05-14"])
        self._command("u-li", "outreach", "schedule_activity", **activity, **venue)
        self._command("u-li", "outreach", "start_activity", **activity)
        audience = {"day": "2011-05-14", "mode": "offline", "method": "sign_in", "person_times": 100 + number}
        self._command("u-li", "outreach", "record_count", **count, **activity, **audience)
        self._command("u-wang", "outreach", "verify_count", **count)
        self.told["K2"] += 100 + number

    def _some_money(self, number):
        grant = {"grant_id": f"g-{number}"}
        decision = {"source_level": "province", "issuer_level": "province", "decision_doc_no": f"川科协发{number}号"}
        self._command(
            "u-zhang", "rural", "approve_grant", **grant, **decision, approved_fen=900, approved_on="2011-03-01"
        )
        for part in range(3):
            voucher = {"voucher_no": f"V-{number}-{part}", "fen": 300, "received_on": "2011-06-01"}
            self._command("u-qian", "rural", "receive_funds", **grant, **voucher)
            self.told["K5"] += 300

    def _a_university(self, number):
        one = {"organisation_id": f"u-{number}"}
        stated = {"name": f"大学 {number}", "organisation_kind": "university", "institution_id": f"i-{number}"}
        meeting = {"held_on": "2011-11-10", "called": 90, "attended": 80, "minutes_doc": "纪要", "charter_doc": "章程"}
        self._command("u-li", "members", "create_organisation", **one, **stated, district="511102", workers_count=300)
        self._command("u-li", "members", "apply_organisation", **one)
        self._command("u-zhang", "members", "approve_organisation", **one, approval_doc_no=f"乐市科协{number}号")
        self._command("u-li", "members", "hold_founding_meeting", **one, **meeting, chair_person_id="p-1")
        self._command("u-zhang", "members", "establish_organisation", **one, established_on="2011-11-18")
        self.told["K6"] += 1

    def _command(self, by, service, command, /, **arguments):
        return self._do(by, service, command, **arguments, command_id=f"load-{next(NUMBER)}")

    def _do(self, by, service, method, /, **arguments):
        """Once more with the same id, until there is an answer."""
        while True:
            try:
                return self._caller.call(service, method, arguments, token=self._tokens[by], timeout=3)
            except Unavailable:
                eventlet.sleep(0.05)


@pytest.mark.timeout(60)
def test_ctrl_c_under_load_ends_everything_within_fifteen_seconds(whole):
    caller = Caller(whole.settings, "journey.last")
    reading = eventlet.spawn(caller.link.run)
    token = whole.token()
    load = eventlet.GreenPool(4)
    for _ in range(40):
        load.spawn_n(call_quietly, caller, token)

    code, seconds = whole.stop()

    assert code == 0
    assert seconds < 15
    caller.link.stop()
    reading.wait()


def call_quietly(caller, token):
    """What becomes of it does not matter here."""
    try:
        caller.call("awards", "report_external_result", a_prize(), token=token, timeout=1)
    except Unavailable:
        return
