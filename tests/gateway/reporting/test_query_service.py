import pytest
from werkzeug.datastructures import MultiDict

from gateway.http import parameters
from gateway.plans import periods
from gateway.reporting import cache, question_parameters
from services.chassis.problem import InvalidInput
from services.contract.topology import SERVICES
from tests.gateway.examples import an_event


@pytest.fixture
def query_service(query_service, monkeypatch):
    monkeypatch.setattr(cache, "MAX_AGE", 60.0)
    return query_service


@pytest.fixture
def store(query_service):
    return query_service.generations.serving()


@pytest.fixture
def reads(store, monkeypatch):
    """How often the counts were read from the database."""
    made, real = [], store.read_counts
    monkeypatch.setattr(
        store, "read_counts", lambda documents, *session: made.append(documents) or real(documents, *session)
    )
    return made


def k2(query_service, **params):
    return query_service.kpi("K2", parameters.read(MultiDict(params), question_parameters.KPI))["value"]


def test_what_was_read_a_moment_ago_serves_those_who_ask_the_same(query_service, reads):
    query_service.take_events([an_event()])

    assert [
        k2(query_service),
        k2(query_service),
        k2(query_service, by="district"),
        k2(query_service, district="511102"),
    ] == [300] * 4
    assert len(reads) == 1


def test_an_answer_is_never_behind_what_this_gateway_took_in(query_service):
    for number in range(1, 4):
        query_service.take_events([an_event(record=f"c-{number}")])
        assert k2(query_service) == 300 * number


def test_a_whole_month_and_some_of_its_days_are_two_questions(query_service):
    query_service.take_events([an_event(day="2011-05-14"), an_event(record="c-2", day="2011-05-31")])

    assert (
        k2(query_service, period="201105"),
        k2(query_service, period="20110514"),
        k2(query_service, period="2011W19"),
    ) == (600, 300, 300)


def test_a_batch_that_is_taken_in_while_the_counts_are_read_is_in_the_next_answer(query_service, store, monkeypatch):
    real = store.read_counts

    def read(documents, *session):
        counts = real(documents, *session)
        monkeypatch.undo()
        query_service.take_events([an_event()])
        return counts

    monkeypatch.setattr(store, "read_counts", read)

    assert [k2(query_service), k2(query_service)] == [None, 300]


def test_what_is_counted_to_date_is_told_week_by_week(query_service):
    built = [("p-1", "2011-05-03"), ("p-2", "2011-05-20"), ("p-3", "2011-06-15")]
    query_service.take_events([an_event("rural.service_point", record, completed_on=day) for record, day in built])

    steps = query_service.series("N41", {"period": "2011Q2", "step": "week"})["steps"]

    assert [step["value"] for step in steps[4:12]] == [None, 1, 1, 2, 2, 2, 2, 3]


def test_no_more_questions_are_kept_at_hand_than_there_is_room_for(query_service, monkeypatch):
    monkeypatch.setattr(cache, "MAX_ENTRIES", 3)

    for day in range(10, 20):
        k2(query_service, period=f"201105{day}")

    assert len(query_service.cache._current) <= 3


def test_a_new_ledger_says_of_each_service_that_it_was_not_compared_until_it_was(query_service, store):
    assert {reason["service"]: reason["code"] for reason in query_service.completeness()["reasons"]} == dict.fromkeys(
        SERVICES, "not_compared"
    )
    assert store.differing_records() is None

    store.note_compared({"awards": 0, "outreach": 2})
    assert {reason["service"]: reason["code"] for reason in query_service.completeness()["reasons"]} == {
        "outreach": "behind", "rural": "not_compared", "members": "not_compared",
    }  # fmt: skip
    assert store.differing_records() is None

    store.note_compared(dict.fromkeys(SERVICES, 0))
    assert query_service.completeness()["complete"]
    assert store.differing_records() == dict.fromkeys(SERVICES, 0)


def test_a_number_of_a_service_that_differs_is_incomplete_and_no_other(query_service, store):
    store.note_compared(dict.fromkeys(SERVICES, 0) | {"outreach": 3})

    (reason,) = query_service.kpi("K2", {})["reasons"]

    assert (reason["code"], reason["service"], reason["records"]) == ("behind", "outreach", 3)
    assert query_service.kpi("K1", {})["complete"]


def test_too_many_steps_are_refused_before_any_of_them_is_made(query_service, monkeypatch):
    monkeypatch.setattr(periods, "steps", lambda *_: pytest.fail("they are made"))

    with pytest.raises(InvalidInput, match="1096 steps; at most 400"):
        query_service.series("K2", {"period": "1991-01-01..2011-12-31", "step": "week"})
