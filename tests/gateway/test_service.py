"""Questions about the plan over HTTP, with events as their owners send them."""

from datetime import datetime
from urllib.parse import quote

import pytest
from amqp.basic_message import Message

from gateway.reporting.plan_history import PLANS
from gateway.reporting.query_service import SharedQueryService
from services.awards.service import Awards
from services.chassis.amqp import connect
from services.contract.topology import LEDGER_QUEUE
from services.rural.service import Rural
from tests.awards.events import granted, revoked
from tests.gateway.conftest import MovedClock
from tests.gateway.examples import an_event
from tests.gateway.upstream.test_proxy import RESULT
from tests.stack import until

PLAN_FILE = (PLANS / "2011.yaml").read_text()
REPORT = "/api/v1/awards/report_external_result"
CHANGES = 12_000


def a_result(record, version=2, **changes):
    return an_event("awards.external_result", record, version, **changes)


def test_a_number_is_what_was_verified_and_its_records_fold_to_it(gateway):
    gateway.take(
        *[an_event(record=f"c-{i}", version=2, day=f"2011-0{1 + i}-10", person_times=100 * i) for i in range(1, 6)],
        an_event(record="c-9", state="recorded", person_times=9_000),
        an_event(record="c-10", mode="online"),
    )

    told = gateway.get("/api/v1/kpis/K2").body
    assert (told["value"], told["records"], told["reported"]["value"]) == (1_500, 5, 10_500)
    assert (told["target"], told["percent"]) == (200_000, 0.75)

    listed = gateway.get("/api/v1/kpis/K2/records").body
    assert sum(record["amount"] for record in listed["items"]) == listed["value"] == 1_500
    assert listed["total"] == 5
    assert [record["id"] for record in listed["items"]] == ["c-1", "c-2", "c-3", "c-4", "c-5"]


def test_a_number_is_asked_for_a_period(gateway):
    gateway.take(
        an_event(record="c-1", day="2011-05-14", person_times=300),
        an_event(record="c-2", day="2011-06-30", person_times=200),
        an_event(record="c-3", day="2011-07-01", person_times=100),
    )

    values = {
        "2011": 600, "2011S1": 500, "2011Q3": 100, "201105": 300, "2011W19": 300, "20110514": 300,
        "2011-05-15..2011-12-31": 300, "2012": None,
    }  # fmt: skip
    for period, value in values.items():
        assert gateway.get(f"/api/v1/kpis/K2?period={period}").body["value"] == value, period
        assert gateway.get(f"/api/v1/kpis/K2/records?period={period}").body["value"] == value, period


@pytest.mark.acceptance(4)
@pytest.mark.parametrize(("instant", "year"), [("2011-12-31T15:59:59Z", 2011), ("2011-12-31T16:30:00Z", 2012)])
def test_what_happens_at_16_30_utc_on_the_last_of_december_counts_in_the_next_year(gateway, instant, year):
    """A prize of today, at these instants: before midnight in Leshan there is no first of January yet (G-06)."""
    gateway.running.clock = MovedClock(datetime.fromisoformat(instant))
    gateway.running.start(Awards)

    said = [gateway.post(REPORT, RESULT | {"awarded_on": day}).status for day in ("2012-01-01", "2011-12-31")]
    gateway.running.settle()

    assert said == ([422, 200] if year == 2011 else [200, 409])  # a day to come is refused; a taken id is, too
    for asked in (2011, 2012):
        number = gateway.get(f"/api/v1/kpis/K1?period={asked}").body["reported"]["value"]
        assert number == (1 if asked == year else None), asked


def test_a_number_is_split_by_district_and_asked_for_one(gateway):
    gateway.take(
        an_event(record="c-1", district="511102", person_times=300),
        an_event(record="c-2", district="511181", person_times=200),
    )

    groups = gateway.get("/api/v1/kpis/K2?by=district").body["groups"]
    assert {group["key"]: group["value"] for group in groups if group["value"]} == {"511102": 300, "511181": 200}
    assert gateway.get("/api/v1/kpis/K2?district=511181").body["value"] == 200
    listed = gateway.get("/api/v1/kpis/K2/records?district=511181").body
    assert [(record["id"], record["district"]) for record in listed["items"]] == [("c-2", "511181")]


def test_a_revoked_award_lowers_the_number_and_both_versions_stay(gateway):
    gateway.take(*[a_result(f"r-{i}") for i in range(60)])
    assert gateway.get("/api/v1/kpis/K1").body["value"] == 60

    gateway.take(a_result("r-7", 3, state="revoked", happened="revoked"))

    assert gateway.get("/api/v1/kpis/K1").body["value"] == 59
    history = gateway.get("/api/v1/records/awards/external_result/r-7/history").body
    (record, *_) = gateway.get("/api/v1/kpis/K1/records").body["items"]
    assert gateway.get(record["history"]).body["id"] == record["id"]
    assert [(one["version"], one["view"]["state"]) for one in history["versions"]] == [(2, "verified"), (3, "revoked")]


def test_an_award_whose_revocation_is_heard_before_its_grant_stays_revoked(gateway):
    gateway.take(revoked(2))
    gateway.take(granted(), revoked(2))

    history = gateway.get("/api/v1/records/awards/award/e-1.1.7/history").body
    assert [(one["version"], one["view"]["state"]) for one in history["versions"]] == [(1, "granted"), (2, "revoked")]
    (held,) = gateway.running.database("gateway")["views"].find({"kind": "awards.award"})
    assert (held["version"], held["data"]["state"]) == (2, "revoked")


def test_progress_shows_all_62_items_without_a_token(gateway):
    gateway.take(an_event("rural.association", "a-1"), an_event("rural.service_point", "p-1"))

    told = gateway.get("/api/v1/plans/2011/progress", token="").body

    assert [item["no"] for item in told["items"]] == list(range(1, 63))
    values = {kpi["code"]: (kpi["value"], kpi["state"]) for item in told["items"] for kpi in item["kpis"]}
    assert {code: values[code] for code in values if code in ("K1", "K2", "K3", "K4", "K5", "K6")} == {
        "K1": (None, "none"), "K2": (None, "none"), "K3": (1, "value"), "K4": (1, "value"), "K5": (None, "none"),
        "K6": (None, "none"),
    }  # fmt: skip
    assert told["complete"]
    assert told["freshness"]["rural"] == "2011-05-14T10:00:01+08:00"


@pytest.mark.acceptance(5)
def test_without_facts_every_line_is_there_as_none_and_an_explicit_zero_is_0(gateway):
    def numbers():
        items = gateway.get("/api/v1/plans/2011/progress", token="").body["items"]
        assert [item["no"] for item in items] == list(range(1, 63))
        return {kpi["code"]: (kpi["value"], kpi["state"]) for item in items for kpi in item["kpis"]}

    before = numbers()
    gateway.take(an_event(state="recorded"))

    assert set(before.values()) == {(None, "none")}
    assert numbers() == before | {"K2": (0, "zero"), "N25": (0, "zero")}


def test_progress_of_one_district_and_period(gateway):
    gateway.take(
        an_event("rural.association", "a-1", district="511102", first_registered_on="2011-02-01"),
        an_event("rural.association", "a-2", district="511111", first_registered_on="2011-02-01"),
    )

    told = gateway.get("/api/v1/plans/2011/progress?period=2011Q1&district=511111", token="").body

    (k3,) = [kpi for item in told["items"] for kpi in item["kpis"] if kpi["code"] == "K3"]
    assert (k3["value"], k3["first"], k3["last"], k3["target"]) == (1, "2011-01-01", "2011-03-31", None)


def test_records_come_page_by_page_with_their_true_number(gateway):
    gateway.take(*[an_event(record=f"c-{i}", person_times=1) for i in range(7)])

    pages, cursor = [], ""
    while cursor is not None:
        told = gateway.get(f"/api/v1/kpis/K2/records?limit=3{cursor and '&cursor=' + cursor}").body
        pages.append([record["id"] for record in told["items"]])
        assert (told["total"], told["value"]) == (7, 7)
        cursor = told["cursor"]

    assert pages == [["c-0", "c-1", "c-2"], ["c-3", "c-4", "c-5"], ["c-6"]]


def test_the_plan_tells_its_items_targets_and_rules(gateway):
    assert [plan["year"] for plan in gateway.get("/api/v1/plans", token="").body["plans"]] == [2011]

    plan = gateway.get("/api/v1/plans/2011", token="").body

    assert len(plan["items"]) == 62
    (k4,) = plan["items"][41]["kpis"]
    assert k4["counts"][0]["rule"]["of"] == "rural.service_point"


def test_the_chair_revises_a_target_closes_a_period_and_puts_a_plan_into_force_and_nobody_else_does(gateway):
    target = {"value": 250_000, "decided_on": "2011-07-01", "doc_no": "d-7", "why": "more to do"}
    asked = {
        "/api/v1/plans/2011/targets/K2": target,
        "/api/v1/plans/2011/periods/2011S1/close": {"why": "half a year"},
        "/api/v1/plans": {"file": PLAN_FILE.replace("zh: 人次", "zh: 人次数"), "why": "a better word"},
    }

    for path, body in asked.items():
        assert gateway.post(path, body, roles=("recorder",)).status == 403, path
        answered = gateway.post(path, body, by="u-chair", roles=("chair",))
        assert answered.status == 200, answered.content

    (edition,) = gateway.get("/api/v1/plans/2011/periods/2011S1/editions").body["editions"]
    assert edition["by"] == "u-chair"
    assert gateway.get(edition["address"]).body["period"] == "2011S1"
    assert gateway.get("/api/v1/kpis/K2").body["original"]["value"] == 200_000
    assert gateway.get("/api/v1/kpis/K2").body["definition"] == 2


def test_a_number_is_explained_told_step_by_step_and_split_by_several_fields(gateway):
    gateway.take(
        an_event(record="c-1", day="2011-05-14", person_times=300),
        an_event(record="c-2", day="2011-06-30", person_times=200, format="lecture"),
        an_event(record="c-3", day="2011-06-30", state="recorded"),
    )

    told = gateway.get("/api/v1/kpis/K2?by=district,format&explain=true").body
    series = gateway.get("/api/v1/kpis/K2/series").body["steps"]
    group = gateway.get("/api/v1/kpis/K2/records?group=format:lecture&district=511102").body

    assert {one["key"]: one["value"] for one in told["groups"]} == {"511102,lecture": 200, "511102,plaza": 300}
    (counts,) = told["explain"]["counts"]
    assert counts["by_state"] == {"verified": 2, "recorded": 1}
    assert [(one["field"], one["value"], one["records"]) for one in counts["excluded"]] == [("state", "recorded", 1)]
    assert [(step["period"], step["value"]) for step in series[3:7]] == [
        ("201104", None), ("201105", 300), ("201106", 200), ("201107", None),
    ]  # fmt: skip
    assert (group["value"], group["total"], [item["id"] for item in group["items"]]) == (200, 1, ["c-2"])


def test_a_milestone_is_reached_by_a_record(gateway):
    assert gateway.get("/api/v1/milestones/M-SPRING").body["state"] == "late"

    gateway.take(an_event("outreach.campaign", "s-1"))

    told = gateway.get("/api/v1/milestones/M-SPRING").body
    item = gateway.get("/api/v1/items/30", token="").body
    assert (told["state"], told["reached_on"], told["evidence"]["id"]) == ("reached", "2011-03-31", "s-1")
    assert [one["state"] for one in item["milestones"]] == ["reached"]


UNCHANGED = (
    "/api/v1/plans/2011/progress", "/api/v1/items/35", "/api/v1/kpis/K2?period=2011&by=district",
    "/api/v1/kpis/K2/series?period=2011&step=month", "/api/v1/kpis/K2/records?period=2011",
    "/api/v1/milestones/M-YOUTH10",
    "/api/v1/notices", "/api/v1/notices?ended=true", "/notices", "/api/v1/plans", "/api/v1/plans/2011",
    "/api/v1/records/outreach/audience_count/a-1/history", "/api/v1/plans/2011/periods/2011S1/editions",
    "/api/v1/recounts", "/api/v1/alerts/rules", "/openapi.json",
)  # fmt: skip


ODD_HEADERS = {
    "If-None-Match": ("W/*", '"', ",,,", "\xff"),
    "If-Match": ("*", '"1", "2"', '"99999999999"', "\xff"),
    "Range": ("bytes=5-1", "bytes=-" + "9" * 30, "x"),
    "Accept": ("*/*;q=x", "text/html;q=9e999", "\xff"),
    "Accept-Encoding": ("gzip;q=x", "gzip;q=1e999", ";;;"),
    "Accept-Language": ("en;q=nan", "*" * 3_000, ";q=", "\xff"),
    "Content-Type": ("application/json; charset=utf-7", "multipart/form-data; boundary=", "\xff"),
    "Cookie": ("kexie_session=\x01", "kexie_session=a.b.c", 'kexie_session="\\000"', "=;;\xff"),
    "Authorization": ("", "Bearer", "Basic \xff", "Bearer a.b.c", "Digest a=b,,c"),
    "Idempotency-Key": ("", "..", "\xff"),
    "Last-Event-ID": ("\xff",),
    "traceparent": ("00-0-0-0", "\xff"),
    "X-Forwarded-For": (",", "::1%eth0"),
}


def test_a_header_that_makes_no_sense_is_no_fault_of_ours(gateway):
    for name, value in ((name, value) for name, values in ODD_HEADERS.items() for value in values):
        how = {"headers": {name: value}, "token": "" if name == "Authorization" else None}
        for answered in (
            gateway.get("/api/v1/kpis/K2", **how),
            gateway.get("/api/v1/plans/2011/progress", **how),
            gateway.post("/api/v1/alerts/rules", {"name": "x"}, **how),
        ):
            assert answered.status < 500, (name, value, answered.content)


def test_whoever_asks_again_before_anything_has_changed_is_told_so(gateway):
    gateway.take(an_event(record="a-1"))
    tags = {}
    for path in UNCHANGED:
        answered = gateway.get(path)
        assert answered.status == 200, (path, answered.content)
        tags[path] = answered.headers["ETag"]

    for path, tag in tags.items():
        again = gateway.get(path, headers={"If-None-Match": tag})
        assert (again.status, again.content) == (304, b""), path
    gateway.take(an_event(record="a-2"))
    changed = gateway.get(UNCHANGED[0], headers={"If-None-Match": tags[UNCHANGED[0]]})
    assert (changed.status, "as_of" in changed.body) == (200, True)


def test_an_answer_of_an_instant_is_byte_for_byte_the_same_after_thousands_of_later_changes(gateway):
    gateway.take(*[an_event(record=f"c-{i}", person_times=i) for i in range(50)])
    now = quote(gateway.running.clock.now().isoformat(timespec="milliseconds"))
    paths = [
        f"/api/v1/plans/2011/progress?as_of={now}", f"/api/v1/kpis/K2?as_of={now}&by=district&explain=true",
        f"/api/v1/kpis/K2/records?as_of={now}", f"/api/v1/kpis/K2/series?as_of={now}",
        f"/api/v1/milestones/M-SPRING?as_of={now}",
    ]  # fmt: skip
    before = [gateway.get(path).content for path in paths]

    query_service = gateway.extension(SharedQueryService).query_service
    for first in range(0, CHANGES, 500):
        query_service.take_events(
            [an_event(record=f"c-{i % 3_000}", version=1 + i // 3_000) for i in range(first, first + 500)]
        )
    query_service.cache._as_of.clear()  # as another gateway would answer

    assert gateway.get("/api/v1/kpis/K2").body["value"] == 3_000 * 300
    assert [gateway.get(path).content for path in paths] == before


@pytest.mark.acceptance(3)
def test_a_malformed_event_makes_the_numbers_of_its_service_incomplete_until_it_is_mended_and_replayed(
    gateway, settings
):
    with connect(settings, "tests.garbage") as connection:
        connection.default_channel.basic_publish(
            message("{"), exchange="outreach.events", routing_key="audience_count.verified"
        )
    gateway.take(an_event(record="c-1"), a_result("r-1"))

    told = until(lambda: incomplete(gateway.get("/api/v1/kpis/K2").body))

    assert told["value"] == 300
    assert [(reason["code"], reason["service"], reason["messages"]) for reason in told["reasons"]] == [
        ("parked", "outreach", 1)
    ]
    assert gateway.get("/api/v1/kpis/K1").body["complete"]
    assert not gateway.get("/api/v1/plans/2011/progress", token="").body["complete"]

    parked = gateway.running.database("gateway")["parked"]
    mended = parked.find_one_and_update({}, {"$set": {"body": an_event(record="c-2").write()}})
    replay = f"/api/v1/operations/parked/gateway/{mended['_id']}/replay"
    assert gateway.post(replay, {"why": "written by hand"}, roles=("operator",)).status == 200

    told = until(lambda: complete(gateway.get("/api/v1/kpis/K2").body))
    assert (told["value"], told["reasons"]) == (600, [])


def test_a_message_that_a_service_parked_makes_its_numbers_incomplete_until_an_operator_took_it_out(gateway):
    gateway.running.start(Rural)
    parked = gateway.running.database("rural")["parked"]
    parked.insert_one({"_id": "m-1", "state": "waiting"})

    told = until(lambda: incomplete(gateway.get("/api/v1/kpis/K5").body))
    assert [(reason["service"], reason["at"], reason["messages"]) for reason in told["reasons"]] == [
        ("rural", "rural", 1)
    ]
    assert gateway.get("/api/v1/kpis/K1").body["complete"]

    parked.delete_one({"_id": "m-1"})
    until(lambda: gateway.get("/api/v1/kpis/K5").body["complete"])


def message(body):
    return Message(body, content_type="application/json")


def incomplete(told):
    return None if told["complete"] else told


def complete(told):
    return told if told["complete"] else None


def test_one_event_that_cannot_be_counted_is_parked_and_the_rest_of_its_batch_counts(gateway):
    huge = 2**63 - 1
    batch = [an_event(record="c-1", person_times=huge), an_event(record="c-2", person_times=huge), a_result("r-1")]

    gateway.take(*batch)

    (parked,) = gateway.running.database("gateway")["parked"].find()
    assert parked["queue"] == LEDGER_QUEUE.name
    assert gateway.get("/api/v1/kpis/K2").body["value"] == huge
    assert gateway.get("/api/v1/kpis/K1").body["value"] == 1


NOT_KNOWN = [
    ("/api/v1/kpis/K2?period=2011Q5", 400, "period", "2011Q3"),
    ("/api/v1/kpis/K2?periode=2011", 400, "periode", "known: period, relative_to, as_of, by, district"),
    ("/api/v1/kpis/K2?period=2011&period=2012", 400, "period", "more than once"),
    ("/api/v1/kpis/K2?by=village", 400, "by", "district, format"),
    ("/api/v1/kpis/K2?district=510100", 400, "district", "511102"),
    ("/api/v1/kpis/K2?by=format,format", 400, "by", "each once"),
    ("/api/v1/kpis/K2?as_of=2011", 400, "as_of", "neither a day nor an instant"),
    ("/api/v1/kpis/K2?as_of=2199-01-01", 400, "as_of", "Nobody knows yet"),
    ("/api/v1/kpis/K2/records?group=colour:red", 400, "group", "district, format"),
    ("/api/v1/kpis/K2/series?period=2000-01-01..2011-12-31&step=day", 400, "step", "at most 400"),
    ("/api/v1/kpis/K2/series?period=1991-01-01..2011-12-31&step=week", 400, "step", "1096 steps"),
    ("/api/v1/kpis/K2/series?period=1900-01-01..2199-12-31&step=day", 400, "period", "No plan is near"),
    ("/api/v1/kpis/K2?period=1990", 400, "period", "from 1991 to"),
    ("/api/v1/plans/2011/progress?period=2100", 400, "period", "No plan is near"),
    ("/api/v1/kpis/K2/records?period=LAST_30_YEARS&relative_to=2011-12-31", 400, "period", "No plan is near"),
    ("/api/v1/milestones/M-NONE", 404, None, "M-SPRING"),
    ("/api/v1/items/63", 404, None, "62"),
    ("/api/v1/kpis/K2/records?limit=0", 400, "limit", "1 to 1000"),
    ("/api/v1/kpis/K2/records?limit=1001", 400, "limit", "1 to 1000"),
    ("/api/v1/kpis/K2/records?limit=00000010099999999999999999", 400, "limit", "1 to 1000"),
    ("/api/v1/kpis/K2/records?cursor=abc", 400, "cursor", "cursor"),
    ("/api/v1/kpis/K2/records?cursor=WyJ4IiwieCJd", 400, "cursor", "cursor"),
    ("/api/v1/plans?x=1", 400, "x", "Unknown parameter"),
    ("/api/v1/plans/2011?x=1", 400, "x", "Unknown parameter"),
    ("/api/v1/plans/2011/progress?by=district", 400, "by", "known: period, relative_to, as_of, district"),
    ("/api/v1/kpis/K9", 404, None, "K1, K1b, K2, K3, K4, K5, K6, N19"),
    ("/api/v1/kpis/K9/records", 404, None, "K1, K1b, K2"),
    ("/api/v1/plans/2012", 404, None, "2011"),
    ("/api/v1/plans/2012/progress", 404, None, "2011"),
    ("/api/v1/records/awards/prize/x/history", 404, None, "awards/external_result"),
    ("/api/v1/records/awards/external_result/x/history", 404, None, "no such thing"),
]


def test_what_is_not_known_is_named_in_both_languages_with_what_is(gateway):
    for path, status, field, says in NOT_KNOWN:
        answered = gateway.get(path)
        told = answered.body

        assert (answered.status, answered.headers["Content-Type"]) == (status, "application/problem+json"), path
        assert says in told["en"], path
        assert any("一" <= letter <= "鿿" for letter in told["zh"]), path
        assert [error["field"] for error in told["errors"]] == ([field] if field else []), path


def test_everything_but_progress_plans_and_health_needs_a_token(gateway):
    for path in ("kpis/K2", "kpis/K2/records", "records/awards/external_result/x/history", "awards/external_results"):
        assert gateway.get(f"/api/v1/{path}", token="").status == 401, path
        assert gateway.get(f"/api/v1/{path}", token="nonsense").status == 401, path
    for path in ("/api/v1/plans", "/api/v1/plans/2011", "/api/v1/plans/2011/progress", "/health", "/ready", "/metrics"):
        assert gateway.get(path, token="").status == 200, path


def test_the_process_tells_its_health(gateway):
    assert gateway.get("/ready", token="").body["ready"] is True
    assert gateway.get("/health", token="").body["services"] == ["gateway"]
    assert b"kexie_http_requests_total" in gateway.get("/metrics", token="").content
