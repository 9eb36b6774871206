"""The gateway's collections made anew from the services, while events come in and databases are edited by hand."""

import eventlet
import pytest

from gateway.read_model import generations as generation_module
from gateway.reconciliation import comparison as comparison_module
from gateway.reconciliation import maintenance as upkeep_module
from gateway.reconciliation import rebuild as rebuild_module
from gateway.reconciliation.comparison import Comparison
from gateway.reconciliation.jobs import Progress
from gateway.reconciliation.rebuild import Filling, rebuild
from gateway.reporting.query_service import SharedQueryService
from services.awards.service import Awards
from services.chassis.problem import Unavailable
from services.contract import KINDS
from services.contract.topology import SERVICES
from services.members.service import Members
from services.outreach.service import Outreach
from services.rural.service import Rural
from tests.gateway.read_model.test_store import counted_from, digest
from tests.gateway.upstream.test_proxy import RESULT
from tests.stack import until


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(generation_module, "LINGERS", 0.0)
    monkeypatch.setattr(comparison_module, "PATIENCE", 0.5)
    monkeypatch.setattr(comparison_module, "PAGE", 3)
    monkeypatch.setattr(rebuild_module, "BATCH", 2)


@pytest.fixture
def services(running):
    running.start(Awards, Outreach, Rural, Members)
    return running


@pytest.fixture
def gateway(services, gateway):
    """Ten results, every second one verified, and a gateway that heard all of them."""
    for number in range(10):
        report(services, f"r-{number}")
    for number in range(0, 10, 2):
        verify(services, f"r-{number}")
    services.settle()
    return gateway


@pytest.fixture
def generations(gateway):
    return gateway.extension(SharedQueryService).query_service.generations


@pytest.fixture
def ask(services):
    return lambda service, method, **arguments: services.call(
        service, method, by="u-op", roles=["operator"], **arguments
    )


def report(services, result):
    services.call("awards", "report_external_result", **RESULT | {"result_id": result, "title": result})


def verify(services, result):
    services.call("awards", "verify_external_result", by="u-wang", roles=["verifier"], result_id=result)


def results(services):
    return services.database("awards")["external_result"]


def rebuilt(ask, generations):
    progress = Progress()
    rebuild(ask, generations, progress)
    return progress


def is_whole(ask, store):
    different = [one for some in Comparison(ask, store, Progress()).lasting(KINDS.values()) for one in some]
    return not different and digest(store)[2] == counted_from(store)


def names(services):
    """Of the ledger; what services said of themselves is kept beside it, whenever they first do."""
    return set(services.database("gateway").list_collection_names()) - {"descriptions"}


def test_the_new_ones_hold_what_the_old_ones_held_and_take_their_place(services, ask, generations):
    before, collections = digest(generations.serving()), names(services)

    progress = rebuilt(ask, generations)

    store = generations.serving()
    assert store.generation != ""
    assert digest(store) == before
    assert (len(before[0]), len(before[1])) == (10, 15)
    assert store.differing_records() == dict.fromkeys(SERVICES, 0)
    assert (progress.done, progress.total, progress.found_count) == (20, 20, 0)
    until(lambda: {name.removesuffix(store.generation) for name in names(services)} == collections)


def test_what_happens_meanwhile_is_in_them_too(services, ask, generations):
    over = []

    def keep_on():
        number = 0
        while not over:
            report(services, f"a-{number}")  # before all that was filled
            report(services, f"z-{number}")
            verify(services, f"a-{number}")
            number += 1
        return number

    writing = eventlet.spawn(keep_on)
    rebuilt(ask, generations)
    over.append(True)
    written = writing.wait()
    services.settle()

    assert written > 0
    assert len(digest(generations.serving())[0]) == 10 + 2 * written
    assert is_whole(ask, generations.serving())


def test_an_event_that_never_came_is_missed_by_the_comparison_and_filled_in(services, ask, generations, monkeypatch):
    (held,) = results(services).find({"_id": "r-1"})
    real = Filling.make_equal

    def make_equal(self, kinds):
        state = held["state"] | {"title_norm": "r00"}
        results(services).insert_one(held | {"_id": "r-00", "state": state})  # marked as published like its original
        real(self, kinds)

    monkeypatch.setattr(Filling, "make_equal", make_equal)
    rebuilt(ask, generations)

    assert generations.serving().versions_of("awards.external_result", "", None)["r-00"] == (1, 1)
    assert is_whole(ask, generations.serving())


def test_a_record_whose_history_was_altered_is_taken_in_and_found(services, ask, generations):
    results(services).update_one({"_id": "r-4"}, {"$set": {"history.0.by": "u-mallory"}})

    progress = rebuilt(ask, generations)

    assert [(one["id"], one["version"], one["what"]) for one in progress.found] == [("r-4", 1, "altered")]
    assert generations.serving().rows_of("awards.external_result", ["r-4"])["r-4"][0]["actor"] == "u-mallory"


def test_what_cannot_be_taken_in_holds_up_nothing_else_and_makes_its_service_s_numbers_incomplete(
    services, ask, generations
):
    results(services).update_one({"_id": "r-4"}, {"$set": {"history.1.view.level": 7}})
    results(services).update_one({"_id": "r-6"}, {"$set": {"history.1.at": "yesterday"}})

    progress = rebuilt(ask, generations)

    store = generations.serving()
    found = {(one["id"], one["version"]) for one in progress.found if one["what"] == "not_taken"}
    assert found == {("r-4", 2), ("r-6", 2)}
    assert store.differing_records() == dict.fromkeys(SERVICES, 0) | {"awards": 2}
    versions = store.versions_of("awards.external_result", "", None)
    assert (versions["r-4"], versions["r-6"], versions["r-8"]) == ((1, 1), (1, 1), (2, 2))


def test_where_a_service_does_not_answer_everything_stays_as_it_was(services, ask, generations):
    before, collections = digest(generations.serving()), names(services)
    services.stop("rural")

    def impatiently(service, method, **arguments):
        return ask(service, method, timeout=0.5, **arguments)

    with pytest.raises(Unavailable):
        rebuilt(impatiently, generations)

    assert generations.serving().generation == ""
    assert digest(generations.serving()) == before
    assert names(services) - {"descriptions"} == collections - {"descriptions"} | {"generations"}  # heard meanwhile


def test_an_operator_rebuilds_over_http(gateway, generations):
    told = gateway.post("/api/v1/operations/rebuild", {"why": "drill"}, by="u-op", roles=["operator"])
    assert told.status == 202

    def is_done():
        return gateway.get("/api/v1/operations/rebuild", roles=["operator"]).body["state"] == "done"

    until(is_done)
    assert until(lambda: generations.serving().generation) != ""
    assert gateway.get("/api/v1/kpis/K1").body["value"] == 5


@pytest.mark.timeout(180)
@pytest.mark.parametrize("how", ["all of it", "counts", "views"])
def test_a_database_that_was_dropped_is_whole_again_by_itself(services, gateway, ask, generations, monkeypatch, how):
    monkeypatch.setattr(upkeep_module, "SOON", 0.5)
    until(lambda: gateway.get("/api/v1/kpis/K1").body["complete"])

    base = services.database("gateway")
    if how == "all of it":
        base.client.drop_database(base.name)
    else:
        base.drop_collection(how)
    report(services, "r-99")

    until(lambda: len(digest(generations.serving())[0]) == 11, 60)
    told = until(lambda: complete(gateway.get("/api/v1/kpis/K1").body), 60)
    assert (told["value"], told["reported"]["value"]) == (5, 11)
    assert is_whole(ask, generations.serving())
    assert services.database("gateway")["parked"].count_documents({}) == 0


def complete(told):
    return told if told["complete"] else None
