import random

import eventlet
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pymongo.errors import AutoReconnect, OperationFailure

from gateway.kpi import ledger
from gateway.kpi.measures import Cell, Measure
from gateway.plans.periods import pieces, read
from gateway.read_model import counted_rules
from gateway.read_model.counted_rules import LEDGER
from gateway.read_model.reader import Reader
from gateway.read_model.store import Store
from services.chassis.problem import Unavailable
from tests.gateway.examples import PLAN, an_event, kpi
from tests.gateway.kpi.test_ledger import FACTS, delivered
from tests.stack import until

K1, K2 = Measure(kpi("K1").rule), Measure(kpi("K2").rule)


@pytest.fixture
def store(store):
    store.prepare(PLAN.rules())
    return store


def total(store, measure=K2, period="2011"):
    wanted = list(pieces(read(period)))
    return measure.total(wanted, store.read_counts(measure.documents(wanted)).documents)


def digest(store):
    """Everything that is kept, but not in how many batches it came."""
    counts = {
        (document["_id"], path): by
        for document in store.counts.find({"_id": {"$ne": LEDGER}})
        for path, by in flat(document)
        if by
    }
    views = {view["_id"]: view for view in store.views.find()}
    rows = {(row["_id"]["record"], row["_id"]["version"]): row for row in store.history.find()}
    return views, rows, counts


def flat(node, way=""):
    for name, inner in node.items():
        if isinstance(inner, dict):
            yield from flat(inner, f"{way}{name}.")
        elif name != "_id":
            yield way + name, inner


def counted_from(store):
    """The counts of the kept views, added up one by one."""
    found = {}
    for measure in {measure.key: measure for measure in map(Measure, PLAN.rules())}.values():
        for id_, changed in ledger.count(measure, store.views.find({"kind": measure.rule.of.key})).items():
            for path, by in changed.items():
                found[id_, path] = found.get((id_, path), 0) + by
    return found


def test_a_year_is_one_document_however_many_records_there_are(store):
    store.take_events([an_event(record=f"c-{i}", day=f"2011-{1 + i % 12:02}-01") for i in range(240)])

    (held,) = store.read_counts(K2.documents(pieces(read("2011")))).documents.values()

    assert held["n"] == 240
    assert held["sum"] == 240 * 300
    assert total(store, period="201102") == Cell(20, 20, 6_000)
    assert total(store, period="2011-01-01..2011-02-01") == Cell(40, 40, 12_000)
    assert total(store, period="2011-01-02..2011-02-28") == Cell(20, 20, 6_000)


def test_the_ledger_says_what_was_taken_in_and_when_each_service_was_last_heard(store):
    store.take_events([an_event(), an_event("rural.service_point", "p-1", time="2011-06-01T08:00:00.000+08:00")])
    store.take_events([an_event()])

    state = store.read_counts({}).ledger

    assert (state["batches"], state["events"]) == (1, 2)
    assert {name: time.isoformat() for name, time in state["heard"].items()} == {
        "outreach": "2011-05-14T10:00:01+08:00",
        "rural": "2011-06-01T08:00:00+08:00",
    }


@pytest.mark.acceptance(1)
@examples(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(FACTS, st.integers(0, 2**32))
def test_any_order_and_any_repetition_of_the_same_events_keep_the_same(store, facts, seed):
    empty(store)
    for event in sorted(facts, key=lambda event: event.version):
        store.take_events([event])
    in_order = digest(store)

    empty(store)
    for batch in delivered(facts, random.Random(seed)):
        store.take_events(batch)

    assert digest(store) == in_order
    assert digest(store)[2] == counted_from(store)


def empty(store):
    for collection in (store.views, store.history):
        collection.delete_many({})
    store.counts.delete_many({"_id": {"$ne": LEDGER}})


def test_two_gateways_that_take_the_same_events_at_once_count_them_once(store):
    other = Store(store.views.database)
    other.prepare(PLAN.rules())
    facts = [an_event(record=f"c-{i % 10}", version=1 + i // 10, person_times=i) for i in range(50)]
    batches = [facts[i : i + 5] for i in range(0, 50, 5)]

    both = [eventlet.spawn(take_all, one, batches) for one in (store, other)]
    for thread in both:
        thread.wait()

    assert total(store) == Cell(10, 10, sum(range(40, 50)))
    assert digest(store)[2] == counted_from(store)
    assert store.history.count_documents({}) == 50


def take_all(store, batches):
    for batch in batches:
        store.take_events(batch)


@pytest.mark.acceptance(2)
@pytest.mark.parametrize("step", ["history.insert_many", "views.insert_many", "views.bulk_write", "counts.bulk_write"])
def test_a_batch_that_ends_at_any_step_leaves_nothing_behind_and_can_be_taken_again(store, step, monkeypatch):
    store.take_events([an_event(record="old")])
    before = digest(store)
    batch = [an_event(record="old", version=2, person_times=1), an_event(record="new")]
    name, method = step.split(".")
    broken = Breaks(getattr(store, name), method)
    monkeypatch.setattr(store, name, broken)

    with pytest.raises(ZeroDivisionError):
        store.take_events(batch)
    monkeypatch.undo()

    assert broken.was_called
    assert digest(store) == before
    store.take_events(batch)
    assert total(store) == Cell(2, 2, 301)


class Breaks:
    """A collection of which one method does its work and then fails."""

    def __init__(self, collection, method):
        self._collection, self._method = collection, method
        self.was_called = False

    def __getattr__(self, name):
        real = getattr(self._collection, name)
        return self._broken(real) if name == self._method else real

    def _broken(self, real):
        def broken(*args, **kwargs):
            self.was_called = True
            real(*args, **kwargs)
            raise ZeroDivisionError

        return broken


def test_a_transaction_is_done_again_when_nobody_knows_whether_it_was_committed(store, monkeypatch):
    outcomes = iter([AutoReconnect("lost", {"errorLabels": ["UnknownTransactionCommitResult"]}), None])
    real = store._take_events

    def take(events, session):
        real(events, session)
        outcome = next(outcomes)
        if outcome:
            session.commit_transaction()
            outcome._add_error_label("UnknownTransactionCommitResult")
            raise outcome

    monkeypatch.setattr(store, "_take_events", take)
    store.take_events([an_event()])

    assert total(store) == Cell(1, 1, 300)


def test_a_sum_beyond_2_63_is_an_error_of_that_event_alone(store):
    store.take_events([an_event(person_times=2**63 - 1)])

    with pytest.raises((OperationFailure, OverflowError)):
        store.take_events([an_event(record="c-2", person_times=2**63 - 1)])

    assert total(store) == Cell(1, 1, 2**63 - 1)


def test_a_new_rule_is_counted_from_the_kept_views(store, monkeypatch):
    monkeypatch.setattr(counted_rules, "CHUNK", 3)
    old = Store(store.views.database)
    old.prepare([kpi("K1").rule])
    old.take_events([an_event(record=f"c-{i}") for i in range(10)] + [an_event("awards.external_result", "r-1")])

    new = Store(store.views.database)
    new.prepare(PLAN.rules())

    assert total(new) == Cell(10, 10, 3_000)
    assert total(new, K1) == Cell(1, 1, 1)
    assert digest(new)[2] == counted_from(new)
    assert K2.key in new.whole_rules(at=new.read_counts({}).ledger["rules"])


def test_a_rule_that_is_no_longer_in_the_plan_is_forgotten_with_its_counts(store):
    store.take_events([an_event()])

    store.prepare([kpi("K1").rule])

    assert total(store) == Cell()
    assert store.whole_rules(at=store.read_counts({}).ledger["rules"]) == {K1.key}


@pytest.mark.parametrize("steps", range(6))
def test_what_another_gateway_takes_in_while_a_rule_is_counted_is_counted_once(store, monkeypatch, steps):
    monkeypatch.setattr(counted_rules, "CHUNK", 2)
    base = store.views.database
    active = Store(base)
    active.prepare([kpi("K1").rule])
    active.take_events([an_event(record=f"c-{i}") for i in range(6)])

    new, left = Store(base), iter(range(steps))
    real = new._counted._count_more

    def stops(key, session):
        return next(left, None) is not None and real(key, session)

    monkeypatch.setattr(new._counted, "_count_more", stops)
    new.prepare([kpi("K1").rule, kpi("K2").rule])
    active.take_events(
        [an_event(record=f"c-{i}", version=2, person_times=1) for i in (1, 5)] + [an_event(record="c-31")]
    )
    assert (K2.key in new.whole_rules(at=new.read_counts({}).ledger["rules"])) == (steps > 3)

    Store(base).prepare([kpi("K1").rule, kpi("K2").rule])

    assert total(new) == Cell(7, 7, 5 * 300 + 2)


def test_a_rule_is_counted_while_another_gateway_takes_events_in(store, monkeypatch):
    monkeypatch.setattr(counted_rules, "CHUNK", 5)
    base = store.views.database
    active = Store(base)
    active.prepare([kpi("K1").rule])
    active.take_events([an_event(record=f"c-{i:03}") for i in range(60)])
    changes = [[an_event(record=f"c-{i:03}", version=2, person_times=7)] for i in range(0, 60, 2)]

    taking = eventlet.spawn(take_all, active, changes)
    Store(base).prepare([kpi("K1").rule, kpi("K2").rule])
    taking.wait()

    assert total(active) == Cell(60, 60, 30 * 300 + 30 * 7)


def test_a_rule_of_a_newer_gateway_lets_events_wait_and_parks_none(store):
    store.rules.insert_one({"_id": "new", "says": kpi("K1").rule.say() | {"of": "awards.edition"}})
    store.counts.update_one({"_id": LEDGER}, {"$inc": {"rules": 1}})

    with pytest.raises(Unavailable):
        store.take_events([an_event()])


def test_the_records_of_a_number_come_by_day_and_id_page_by_page(store):
    facts = [an_event(record=f"c-{i}", day=f"2011-05-{10 + i % 3}", person_times=i) for i in range(10)]
    others = [an_event(record="x-1", state="recorded"), an_event(record="x-2", day="2012-01-01")]
    store.take_events(facts + others)

    pages, after = [], None
    while page := Reader(store).records(kpi("K2").rule, read("2011"), after=after, limit=4):
        pages.append(page)
        after = (page[-1]["data"]["day"], page[-1]["_id"])

    listed = [view for page in pages for view in page]
    assert [len(page) for page in pages] == [4, 4, 2]
    assert [(view["data"]["day"], view["_id"]) for view in listed] == sorted(
        (event.data["day"], ledger.record_of(event)) for event in facts
    )
    assert sum(view["data"]["person_times"] for view in listed) == total(store).sum


def test_the_records_of_a_district_are_those_of_its_group(store):
    store.take_events([an_event(record=f"c-{i}", district=["511102", "511111"][i % 2]) for i in range(5)])

    found = Reader(store).records(kpi("K2").rule, read("2011"), among={"district": "511111"}, limit=10)

    assert [view["_id"][-3:] for view in found] == ["c-1", "c-3"]


def test_a_page_of_records_reads_an_index_and_not_every_record(store):
    store.take_events([an_event(record=f"c-{i}", day=f"2011-{1 + i % 12:02}-01") for i in range(120)])
    on = "data.day"

    plan = (
        store.views.find({"kind": "outreach.audience_count", on: {"$gte": "2011-05-01", "$lte": "2011-05-31"}})
        .sort([(on, 1), ("_id", 1)])
        .explain()
    )

    assert plan["executionStats"]["totalKeysExamined"] == 10
    assert '"SORT"' not in str(plan["queryPlanner"]["winningPlan"]).replace("'", '"')


def test_the_history_of_a_record_has_every_version_in_order(store):
    store.take_events([an_event(version=version) for version in (2, 10, 1)])
    store.take_events([an_event(record="c-11"), an_event(record="c-1/2")])

    assert [row["_id"]["version"] for row in Reader(store).versions("outreach.audience_count/c-1")] == [1, 2, 10]
    assert [row["_id"]["version"] for row in Reader(store).versions("outreach.audience_count/c")] == []


def test_parked_messages_are_told_by_where_they_came_from(store):
    waiting = [{"exchange": name, "state": "waiting"} for name in ("rural.events", "rural.events", "")]
    store._parked.insert_many([*waiting, {"exchange": "rural.events", "state": "replayed"}])

    assert until(store.parked) == {"rural.events": 2, "": 1}
