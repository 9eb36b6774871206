"""Alerts: rules, what they see, and the inbox, by the real query service or, where it cannot, by given statuses."""

import random
from itertools import pairwise

import eventlet
import pytest
from amqp.basic_message import Message
from jsonschema import validate

from gateway.notifications import alert_requests, alert_watch, alerts
from gateway.notifications.alert_rules import KpiObservation, read_rule, write_rule
from gateway.notifications.alerts import INBOX, NEW_RULE, RULES, Alerts, show_alert
from gateway.notifications.lease import Lease
from gateway.notifications.status_changes import condition_of
from gateway.notifications.webhook_outbox import WebhookOutbox
from gateway.read_model.store import Store
from services.chassis.amqp import connect
from services.chassis.mongo import database
from services.chassis.problem import Conflict, NotFound
from services.chassis.tokens import Actor
from services.contract.topology import LEDGER_QUEUE
from tests.stack import MovableClock, until

RULE = {"name": "科普人次", "year": 2011, "kpis": ["K2"], "to": ["incomplete", "complete"]}
PARAMS = {
    "name": "科普人次",
    "year": 2011,
    "kpis": ["K2"],
    "items": (),
    "to": ["behind", "late", "reached"],
    "webhook": None,
}

STATUSES = ("behind", "late", "on_track", "ahead", "reached")


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(alert_requests, "WATCH_EVERY", 0.1)
    monkeypatch.setattr(alert_watch, "LOOK_AGAIN", 0.2)


def make(gateway, status=201, by="u-li", **changed):
    response = gateway.ask("POST", "/api/v1/alerts/rules", body=RULE | changed, by=by)
    assert response.status == status, response.content
    if status == 201:
        validate(response.body, NEW_RULE)
    return response.body


def look_once(gateway, rule, by="u-li"):
    """Wait until the rule had its first look."""
    return until(lambda: (shown := gateway.get(f"/api/v1/alerts/rules/{rule['id']}", by=by).body)["since"] and shown)


def differ(gateway, records):
    """Outreach was compared, and so many of its records found to differ."""
    Store(gateway.running.database("gateway")).note_compared({"outreach": records})


def inbox(gateway, by="u-li", **options):
    page = gateway.get("/api/v1/alerts", by=by, **options).body
    validate(page, INBOX)
    return page


def arrived(gateway, number):
    return until(lambda: len(alerts := inbox(gateway)["items"]) >= number and alerts)


# --- on the real stack -----------------------------------------------------------------------------------------------


def test_a_change_of_status_makes_one_alert_and_the_first_look_none(gateway):
    made = make(gateway)
    assert (made["state"], made["webhook"], made["secret"], made["since"]) == ("active", None, None, None)
    look_once(gateway, made)
    assert inbox(gateway) == {"items": [], "cursor": None, "unread": 0}

    differ(gateway, 3)
    (alert,) = arrived(gateway, 1)
    assert alert == alert | {
        "rule": made["id"], "name": "科普人次", "year": 2011, "kpi": "K2", "was": "complete", "now": "incomplete",
        "value": None, "state": "none", "read": False, "unit": UNIT, "text": None,
    }  # fmt: skip
    assert alert["title"]["zh"]
    assert alert["item"] in {item["no"] for item in gateway.get("/api/v1/plans/2011").body["items"]}

    differ(gateway, 5)  # still incomplete: nothing new
    differ(gateway, 0)
    assert [alert["now"] for alert in arrived(gateway, 2)] == ["complete", "incomplete"]


@pytest.mark.usefixtures("second")
def test_however_many_gateways_look_a_change_makes_one_alert(gateway):
    look_once(gateway, make(gateway))

    for number in range(1, 4):
        differ(gateway, 3)
        arrived(gateway, 2 * number - 1)
        differ(gateway, 0)
        arrived(gateway, 2 * number)

    assert sorted(alert["now"] for alert in inbox(gateway)["items"]) == ["complete"] * 3 + ["incomplete"] * 3


def test_another_gateway_goes_on_where_the_one_that_looked_ends(gateway, second):
    look_once(gateway, make(gateway))

    second.stop()
    differ(gateway, 3)

    assert [alert["now"] for alert in arrived(gateway, 1)] == ["incomplete"]


def test_a_message_that_waits_for_an_operator_makes_an_alert_of_the_numbers_it_concerns(gateway):
    rule = make(gateway, to=["parked"], kpis=[], items=[35])
    look_once(gateway, rule)

    with connect(gateway.running.settings, "tests.garbage") as connection:
        connection.default_channel.basic_publish(Message(b"{garbage"), routing_key=LEDGER_QUEUE.name)

    assert {(alert["was"], alert["now"], alert["item"]) for alert in arrived(gateway, 1)} == {("settled", "parked", 35)}


def test_a_rule_is_told_of_its_own_numbers_only(gateway):
    rules = [make(gateway, kpis=kpis) for kpis in (["K1"], ["K2"], ["K1", "K2"])]
    for rule in rules:
        look_once(gateway, rule)

    differ(gateway, 3)

    assert {(alert["rule"], alert["kpi"]) for alert in arrived(gateway, 2)} == {
        (rule["id"], "K2") for rule in rules[1:]
    }


def test_a_rule_whose_plan_is_no_more_holds_up_no_other(gateway, stored):
    gone, kept = make(gateway), make(gateway)
    stored["alert_rules"].update_one({"_id": gone["id"]}, {"$set": {"year": 1999}})

    look_once(gateway, kept)
    differ(gateway, 3)

    assert [alert["rule"] for alert in arrived(gateway, 1)] == [kept["id"]]


def test_the_watch_goes_on_after_a_mistake_of_ours(gateway, monkeypatch):
    look_once(gateway, make(gateway))
    real, broken = alert_watch.AlertWatch.look, []

    def look(watch):
        if not broken:
            broken.append(watch)
            raise RuntimeError("the password is 1234")
        real(watch)

    monkeypatch.setattr(alert_watch.AlertWatch, "look", look)
    differ(gateway, 3)

    arrived(gateway, 1)
    assert broken


def test_a_rule_that_cannot_be_is_refused_and_every_field_named(gateway):
    def fields(**changed):
        return sorted(error["field"] for error in make(gateway, 400, **changed)["errors"])

    assert fields(kpis=["K2", "K99"], items=[35, 99]) == ["items", "kpis"]
    assert fields(year=2010) == ["year"]
    assert fields(to=[], name=" ", colour="red") == ["colour", "name", "to"]
    assert fields(to=["broken"]) == ["to"]
    assert fields(webhook="https://example.org/hook") == ["webhook"]


def test_rules_and_alerts_are_their_owner_s(gateway):
    made = make(gateway)
    look_once(gateway, made)
    differ(gateway, 3)
    (alert,) = arrived(gateway, 1)
    address, read = f"/api/v1/alerts/rules/{made['id']}", f"/api/v1/alerts/{alert['id']}/read"

    assert gateway.get("/api/v1/alerts/rules", by="u-wu").body == {"items": [], "cursor": None}
    assert inbox(gateway, by="u-wu")["items"] == []
    for method, path in (("GET", address), ("POST", f"{address}/retire"), ("POST", read)):
        assert gateway.ask(method, path, by="u-wu").status == 404, path
        assert gateway.ask(method, path, token="").status == 401, path
    assert gateway.ask("POST", f"{address}/retire", by="u-op", roles=("operator",)).body["state"] == "retired"


def test_an_alert_that_was_read_comes_after_those_that_were_not(gateway):
    look_once(gateway, make(gateway))
    differ(gateway, 3)
    arrived(gateway, 1)
    differ(gateway, 0)
    newest, oldest = (alert["id"] for alert in arrived(gateway, 2))

    for _ in range(2):
        assert gateway.post(f"/api/v1/alerts/{newest}/read").body["read"]

    page = inbox(gateway)
    assert ([alert["id"] for alert in page["items"]], page["unread"]) == ([oldest, newest], 1)
    pages, cursor = [], ""
    while cursor is not None:
        page = gateway.get("/api/v1/alerts?limit=1" + (f"&cursor={cursor}" if cursor else "")).body
        pages, cursor = pages + [alert["id"] for alert in page["items"]], page["cursor"]
    assert pages == [oldest, newest]
    assert gateway.get("/api/v1/alerts?cursor=W10=").status == 400


def test_a_retired_rule_makes_no_alert_and_stays_listed(gateway):
    retired, kept = make(gateway), make(gateway, name="另一条")
    look_once(gateway, kept)
    look_once(gateway, retired)

    for _ in range(2):
        shown = gateway.post(f"/api/v1/alerts/rules/{retired['id']}/retire").body
        assert (shown["state"], shown["retired_at"] is not None) == ("retired", True)
    differ(gateway, 3)

    assert [alert["rule"] for alert in arrived(gateway, 1)] == [kept["id"]]
    page = gateway.get("/api/v1/alerts/rules").body
    validate(page, RULES)
    listed = page["items"]
    assert [(rule["id"], rule["state"]) for rule in listed] == [(kept["id"], "active"), (retired["id"], "retired")]
    first = gateway.get("/api/v1/alerts/rules?limit=1").body
    assert gateway.get(f"/api/v1/alerts/rules?cursor={first['cursor']}").body["items"] == listed[1:]


# --- with given statuses ---------------------------------------------------------------------------------------------


@pytest.fixture
def stored(settings):
    return database(settings, "gateway")


@pytest.fixture
def kept(stored):
    """Rules and inboxes with nobody who looks."""
    return another(stored)


def another(stored):
    clock = MovableClock()
    kept = Alerts(stored, WebhookOutbox(stored["deliveries"], clock), clock)
    kept.prepare()
    return kept


UNIT = {"zh": "人次", "en": "person-times", "scale": 1}
TEXT = {"zh": "300人次", "en": "300 person-times"}


def without_units(document):
    """The rule as a release before 0.2 wrote it."""
    alerts = [{name: alert[name] for name in alert if name not in ("unit", "text")} for alert in document["outbox"]]
    return {**document, "outbox": alerts}


def an_observation(status, at="10:00:00", code="K2"):
    kpi = {"code": code, "status": {"code": status}, "item": 35, "title": {"zh": "人次", "en": "Audience"}}
    kpi |= {"value": 300, "state": "value", "unit": UNIT, "text": TEXT}
    return KpiObservation(f"2011-05-14T{at}+08:00", 7, {code: condition_of(kpi, ())}, {code: kpi})


def alerted(kept):
    return [(alert["was"], alert["now"]) for alert in reversed(kept.inbox({}, owner="u-li")["items"])]


def see(kept, *statuses):
    for number, status in enumerate(statuses):
        (rule,) = kept.active_rules()
        assert kept.note(rule, an_observation(status, f"10:00:{number:02}"))
        kept.hand_out()


def test_every_change_to_a_word_that_was_asked_for_is_told_and_never_repeated(kept):
    kept.make_rule(PARAMS, owner="u-li")

    see(kept, "behind", "behind", "on_track", "behind", "late", "late", "reached")

    assert alerted(kept) == [("on_track", "behind"), ("behind", "late"), ("late", "reached")]


def test_of_two_gateways_that_saw_the_same_change_one_writes_it(kept):
    kept.make_rule(PARAMS, owner="u-li")
    see(kept, "on_track")
    (rule,) = kept.active_rules()

    assert [kept.note(rule, an_observation("behind", "11:00:00")) for _ in range(2)] == [True, False]

    kept.hand_out()
    assert alerted(kept) == [("on_track", "behind")]


def test_a_gateway_whose_clock_is_behind_does_not_take_a_change_back(kept):
    kept.make_rule(PARAMS, owner="u-li")
    see(kept, "on_track")
    (rule,) = kept.active_rules()
    kept.note(rule, an_observation("late", "23:59:59"))
    (rule,) = kept.active_rules()

    assert not kept.note(rule, an_observation("behind", "23:59:58"))

    kept.hand_out()
    assert alerted(kept) == [("on_track", "late")]


def test_a_gateway_that_dies_after_it_saw_a_change_loses_no_alert(kept, stored):
    kept.make_rule(PARAMS | {"webhook": "https://example.org/hook"}, owner="u-li")
    see(kept, "on_track")
    (rule,) = kept.active_rules()
    kept.note(rule, an_observation("behind", "11:00:00"))

    other = another(stored)
    other.hand_out()

    assert alerted(other) == [("on_track", "behind")]
    assert stored["deliveries"].count_documents({}) == 1


def test_what_is_handed_out_twice_is_there_once(kept, stored):
    kept.make_rule(PARAMS | {"webhook": "https://example.org/hook"}, owner="u-li")
    see(kept, "on_track")
    (rule,) = kept.active_rules()
    kept.note(rule, an_observation("behind", "11:00:00"))
    before = stored["alert_rules"].find_one()
    kept.hand_out()
    (alert,) = kept.inbox({}, owner="u-li")["items"]
    kept.mark_read(alert["id"], owner="u-li")

    stored["alert_rules"].replace_one({}, before)
    kept.hand_out()

    assert [alert["read"] for alert in kept.inbox({}, owner="u-li")["items"]] == [True]
    assert stored["deliveries"].count_documents({}) == 1


def test_an_alert_that_is_made_while_others_are_handed_out_is_handed_out_next(kept, stored):
    kept.make_rule(PARAMS, owner="u-li")
    see(kept, "on_track")
    (rule,) = kept.active_rules()
    kept.note(rule, an_observation("behind", "11:00:00"))
    real = kept._inbox

    class Slow:
        def update_one(self, *args, **kwargs):
            kept._inbox = real
            (now,) = kept.active_rules()
            kept.note(now, an_observation("late", "11:00:01"))
            return real.update_one(*args, **kwargs)

    kept._inbox = Slow()
    kept.hand_out()
    kept.hand_out()

    assert alerted(kept) == [("on_track", "behind"), ("behind", "late")]
    assert stored["alert_rules"].find_one()["outbox"] == []


@pytest.mark.parametrize("seed", range(3))
def test_however_gateways_race_and_die_the_chain_of_changes_has_no_gap_and_no_link_twice(stored, seed):
    chance = random.Random(seed)
    truth = [chance.choice(STATUSES)]
    another(stored).make_rule(PARAMS | {"to": STATUSES}, owner="u-li")

    def look(chance):
        kept = another(stored)
        while True:
            (rule,) = kept.active_rules()
            eventlet.sleep(chance.random() / 100)
            kept.note(rule, an_observation(truth[-1], f"10:{len(truth) // 60:02}:{len(truth) % 60:02}"))
            if chance.random() < 0.3:  # else it died before
                kept.hand_out()

    gateways = [eventlet.spawn(look, random.Random(chance.random())) for _ in range(4)]

    def change():
        """The status changes, until the rule has noted twenty changes, however slow the gateways are."""
        truth.append(chance.choice([status for status in STATUSES if status != truth[-1]]))
        return stored["alert_rules"].find_one()["turn"] > 20

    until(change)
    until(lambda: stored["alert_rules"].find_one()["seen"].get("K2") == {"status": truth[-1]})
    for gateway in gateways:
        gateway.kill()
    another(stored).hand_out()

    chain = alerted(another(stored))
    assert len(chain) > 10
    assert all(before[1] == after[0] for before, after in pairwise(chain))
    assert chain[-1][1] == truth[-1]


def test_a_kpi_that_comes_into_the_plan_is_noted_first(kept):
    kept.make_rule(PARAMS | {"kpis": ()}, owner="u-li")
    see(kept, "on_track")
    (rule,) = kept.active_rules()

    kept.note(rule, an_observation("late", "11:00:00", code="K9"))
    kept.hand_out()

    assert alerted(kept) == []
    assert kept.active_rules()[0].seen.keys() == {"K2", "K9"}


def test_an_owner_has_only_so_many_rules(kept, monkeypatch):
    monkeypatch.setattr(alerts, "AT_MOST", 2)
    first = kept.make_rule(PARAMS, owner="u-li")
    kept.make_rule(PARAMS, owner="u-li")

    with pytest.raises(Conflict, match="retire one"):
        kept.make_rule(PARAMS, owner="u-li")

    kept.make_rule(PARAMS, owner="u-wu")
    kept.retire_rule(first.id, actor=Actor("u-li"))
    kept.make_rule(PARAMS, owner="u-li")
    with pytest.raises(NotFound):
        kept.rule(first.id, actor=Actor("u-wu"))


def test_one_of_all_has_the_lease_until_it_goes_silent_or_lets_it_go(stored):
    first, second = (Lease(stored["leases"], "watch", seconds=60.0) for _ in range(2))
    assert [first.take_lease(), second.take_lease(), first.take_lease()] == [True, False, True]

    first.release_lease()
    assert [second.take_lease(), first.take_lease()] == [True, False]

    stored["leases"].update_one({}, [{"$set": {"until": {"$subtract": ["$$NOW", 1]}}}])
    assert [first.take_lease(), second.take_lease()] == [True, False]
    second.release_lease()
    assert not second.take_lease()


def test_a_rule_is_stored_as_every_earlier_version_stored_it(kept, stored):
    kept.make_rule(PARAMS | {"webhook": "https://example.org/hook", "items": (35,)}, owner="u-li")
    see(kept, "on_track")
    (rule,) = kept.active_rules()
    kept.note(rule, an_observation("behind", "11:00:00"))

    document = stored["alert_rules"].find_one()

    assert document == document | {
        "owner": "u-li", "name": "科普人次", "year": 2011, "webhook": "https://example.org/hook", "kpis": ["K2"],
        "items": [35], "to": ["behind", "late", "reached"], "state": "active", "since": "2011-05-14T10:00:00+08:00",
        "retired_at": None, "turn": 2, "as_of": "2011-05-14T11:00:00+08:00", "seen": {"K2": {"status": "behind"}},
        "is_full": True,
    }  # fmt: skip
    assert document["outbox"] == [
        {
            "_id": f"{rule.id}-2-0", "owner": "u-li", "rule": rule.id, "name": "科普人次", "year": 2011, "kpi": "K2",
            "was": "on_track", "now": "behind", "item": 35, "title": {"zh": "人次", "en": "Audience"}, "value": 300,
            "state": "value", "revision": 7, "at": "2011-05-14T11:00:00+08:00", "read": False, "unit": UNIT,
            "text": TEXT,
        }
    ]  # fmt: skip
    assert write_rule(read_rule(document)) == document
    (before,) = read_rule(without_units(document)).outbox
    assert (show_alert(before)["unit"], show_alert(before)["text"]) == (None, None)
    assert write_rule(read_rule(document | {"added_by_a_later_version": 1})) == document
