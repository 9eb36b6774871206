"""Generations of one gateway's database: one serves, one may be filled, and each may vanish under our hands."""

import eventlet
import pytest

from gateway.read_model import generations as generation_module
from gateway.read_model.counted_rules import LEDGER
from gateway.read_model.generations import Generations
from gateway.read_model.store import Store
from services.chassis.mongo import database
from services.chassis.problem import Unavailable
from tests.gateway.examples import PLAN, an_event
from tests.gateway.read_model.test_store import counted_from, digest
from tests.stack import GENERATION, until


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(generation_module, "LINGERS", 0.0)
    monkeypatch.setattr(generation_module, "KNOWN_FOR", 0.05)


@pytest.fixture
def base(settings):
    return database(settings, "gateway")


@pytest.fixture
def generations(base):
    return a_gateway(base)


def a_gateway(base):
    found = Generations(base, PLAN.rules)
    found.prepare()
    return found


def taken(generations, *events):
    """As a listener does: again where it is not now."""

    def taken():
        try:
            generations.take_events(events)
        except Unavailable:
            return False
        return True

    until(taken)


def records(store):
    return {view["_id"].rpartition("/")[2]: view["version"] for view in store.views.find()}


def test_the_first_generation_has_no_name_and_a_database_of_an_earlier_release_goes_on(base):
    old = Store(base)
    old.prepare(PLAN.rules())
    old.take_events([an_event()])
    old.counts.update_one({"_id": LEDGER}, {"$unset": {"compared": ""}})

    now = a_gateway(base)

    assert now.serving().generation == ""
    assert records(now.serving()) == {"c-1": 1}
    assert now.serving().differing_records() is None


def is_dropped(base):
    """Is the generation without a name gone, with all of its collections?"""
    return not {"counts", "views", "history", "rules"}.intersection(base.list_collection_names())


def test_what_comes_in_while_another_is_filled_goes_to_both_and_the_other_takes_its_place(base, generations):
    elsewhere = a_gateway(base)
    taken(generations, an_event(record="before"))
    with generations.filling() as new:
        taken(elsewhere, an_event(record="during"))
        revision = generations.ask(lambda store: store.read_counts({})).ledger["revision"]
        assert records(new) == {"during": 1}
        assert elsewhere.serving().generation == ""

        generations.serve(new)
    taken(elsewhere, an_event(record="after"))

    assert until(lambda: elsewhere.serving().generation) == generations.serving().generation == new.generation
    assert records(generations.serving()) == {"during": 1, "after": 1}
    assert generations.ask(lambda store: store.read_counts({})).ledger["revision"] > revision
    until(lambda: is_dropped(base))


def test_one_that_is_given_up_leaves_nothing_behind(base, generations):
    with pytest.raises(ZeroDivisionError), generations.filling():
        raise ZeroDivisionError

    taken(generations, an_event())
    assert not generations.is_filling()
    assert {name for name in base.list_collection_names() if GENERATION.search(name)} == set()


def test_one_whose_filler_died_is_given_up_for_its_silence_and_dropped_by_the_next(base, generations, monkeypatch):
    dead = generations.filling()
    dead.__enter__()
    monkeypatch.setattr(generation_module, "SILENT", 0.0)

    until(lambda: not a_gateway(base).is_filling())
    monkeypatch.undo()
    with generations.filling() as new:
        counts = {name for name in base.list_collection_names() if name.startswith("counts")}

    assert counts == {"counts", new.counts.name}


def test_one_that_was_given_up_never_serves(generations):
    with generations.filling() as old:
        pass

    with pytest.raises(Unavailable):
        generations.serve(old)


def test_a_gateway_that_slept_through_a_switch_takes_nothing_into_what_was_dropped(base, generations):
    asleep = a_gateway(base)
    known = asleep.stores()
    with generations.filling() as new:
        generations.serve(new)
    until(lambda: is_dropped(base))

    monkey = iter([known])
    real = asleep.stores
    asleep.stores = lambda: next(monkey, None) or real()
    taken(asleep, an_event())

    assert records(new) == {"c-1": 1}
    assert is_dropped(base)


@pytest.mark.parametrize("dropped", ["counts", "views", "history", "rules", "generations", "all of it"])
def test_a_database_that_is_dropped_while_events_come_in_makes_itself_anew(base, generations, dropped):
    taken(generations, an_event(record="before"))
    generations.serving().note_compared({"outreach": 0})

    if dropped == "all of it":
        base.client.drop_database(base.name)
    else:
        base.drop_collection(dropped)
    eventlet.sleep(generation_module.KNOWN_FOR)
    taken(generations, an_event(record="after"))

    assert "after" in records(generations.serving())
    if dropped in ("counts", "views", "all of it"):
        assert records(generations.serving()) == {"after": 1}
        assert generations.ask(lambda store: store.read_counts({})).ledger["compared"] == {}
    again = a_gateway(base).serving()
    assert digest(again)[2] == counted_from(again)


def test_a_question_finds_a_dropped_database_empty_and_not_broken(base, generations):
    taken(generations, an_event())
    base.client.drop_database(base.name)

    assert generations.ask(lambda store: store.read_counts({})).ledger["events"] == 0


def test_two_gateways_whose_database_is_dropped_again_and_again_agree(base):
    both = [a_gateway(base), a_gateway(base)]

    def hear(number):
        for version in range(1, 30):
            taken(both[number], an_event(record=f"g-{number}", version=version))

    hearing = [eventlet.spawn(hear, number) for number in (0, 1)]
    for _ in range(5):
        base.client.drop_database(base.name)
        eventlet.sleep(0.1)
    for one in hearing:
        one.wait()
    for number in (0, 1):
        taken(both[number], an_event(record=f"g-{number}", version=30))

    assert both[0].stores()[0].generation == both[1].stores()[0].generation
    assert records(both[0].serving()) == {"g-0": 30, "g-1": 30}


def test_what_is_filled_and_vanishes_is_filled_no_more_and_nothing_else_is_lost(generations):
    with generations.filling() as new:
        new.drop()
        taken(generations, an_event())

        assert not generations.is_filling()
        assert records(generations.serving()) == {"c-1": 1}
        with pytest.raises(Unavailable):
            generations.serve(new)


def test_what_is_filled_goes_on_where_what_serves_vanished(generations):
    with generations.filling() as new:
        generations.serving().drop()
        taken(generations, an_event())
        assert records(new) == records(generations.serving()) == {"c-1": 1}

        generations.serve(new)

    assert generations.serving() is new
