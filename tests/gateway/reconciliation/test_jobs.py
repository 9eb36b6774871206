"""Jobs: one of each name among all gateways, told while they run, and found dead when they fall silent."""

from datetime import UTC, datetime, timedelta

import eventlet
import pytest
from eventlet.event import Event as Signal
from pymongo.errors import AutoReconnect
from structlog.testing import capture_logs

from gateway.reconciliation import jobs as jobs_module
from gateway.reconciliation.jobs import LISTED, SILENT, Jobs
from services.chassis.mongo import database
from services.chassis.problem import Conflict, Unavailable
from tests.stack import until


@pytest.fixture
def collection(settings):
    return database(settings, "gateway")["jobs"]


@pytest.fixture
def a_gateway(collection):
    """Makes the jobs of one more gateway."""
    made = []

    def make():
        made.append(Jobs(collection, lambda run, **_: eventlet.spawn(run)))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def jobs(a_gateway):
    return a_gateway()


class Work:
    """A job that looks at three records and goes on when it is told."""

    def __init__(self):
        self.go_on = Signal()

    def __call__(self, progress):
        progress.at, progress.done, progress.total = "outreach.audience_count", 1, 3
        progress.add_finding({"id": "c-1"})
        self.go_on.wait()
        progress.done = 3


def nothing(_):
    """A job that has nothing to do."""


def ended(jobs, name="audit"):
    return until(lambda: (job := jobs.find(name)).state != "running" and job)


def test_there_is_no_job_before_the_first_one(jobs):
    assert jobs.find("audit") is None


def test_a_job_is_told_while_it_runs_and_after_it_is_done(jobs):
    work = Work()
    begun = jobs.start("audit", work, by="u-op", why="$why not")
    assert (begun.state, begun.by, begun.why, begun.ended_at) == ("running", "u-op", "$why not", None)

    told = until(lambda: (told := jobs.find("audit")).done and told)
    assert (told.at, told.done, told.total, told.unit) == ("outreach.audience_count", 1, 3, "records")
    assert (told.found, told.found_count) == ([{"id": "c-1"}], 1)

    work.go_on.send()
    done = ended(jobs)
    assert (done.state, done.done, done.error) == ("done", 3, None)
    answer = done.answer()
    assert answer["started_at"] <= answer["ended_at"]
    assert answer["started_at"].endswith("+08:00")


def test_one_of_a_name_runs_at_a_time_among_all_gateways(jobs, a_gateway):
    work = Work()
    jobs.start("audit", work, by="u-op", why=None)

    with pytest.raises(Conflict) as refused:
        a_gateway().start("audit", Work(), by="u-other", why=None)
    assert refused.value.involved == {"job": "audit", "by": "u-op"}
    a_gateway().start("verify", nothing, by="u-other", why=None)

    work.go_on.send()
    ended(jobs)
    assert a_gateway().start("audit", nothing, by="u-other", why=None).by == "u-other"


def test_of_many_that_begin_it_at_once_one_does(a_gateway):
    def begin(gateway):
        try:
            gateway.start("rearm", Work(), by="gateway", why=None)
        except Conflict:
            return 0
        return 1

    begun = [eventlet.spawn(begin, a_gateway()) for _ in range(10)]

    assert sum(one.wait() for one in begun) == 1


def test_where_one_has_just_ended_a_rest_is_kept(jobs, a_gateway):
    jobs.start("rearm", nothing, by="u-op", why="once")
    ended(jobs, "rearm")

    with pytest.raises(Conflict):
        a_gateway().start("rearm", Work(), by="gateway", why=None, rest=3_600)
    a_gateway().start("rearm", nothing, by="gateway", why=None)


def test_a_job_whose_gateway_died_has_failed_and_another_may_begin(jobs, a_gateway, collection):
    jobs.start("audit", Work(), by="u-op", why=None)
    fall_silent(jobs, collection)

    told = a_gateway().find("audit")
    assert (told.state, told.error["en"]) == ("failed", "Its gateway went silent.")

    a_gateway().start("audit", nothing, by="u-other", why=None)
    assert ended(jobs).by == "u-other"


def test_a_job_that_was_taken_over_ends_and_changes_nothing_more(jobs, collection, monkeypatch):
    monkeypatch.setattr(jobs_module, "BEAT", 0.01)
    monkeypatch.setattr(jobs_module, "PULSE", 0.01)
    work = Work()
    jobs.start("audit", work, by="u-op", why=None)
    until(lambda: jobs.find("audit").done)
    collection.update_one({"_id": "audit"}, {"$set": {"run": "of another gateway"}})

    with capture_logs() as logs:
        until(lambda: any(line["event"] == "job was taken over" for line in logs) or jobs._running["audit"]._is_over)
    work.go_on.send()

    assert (jobs.find("audit").state, jobs.find("audit").done) == ("running", 1)


def fall_silent(jobs, collection):
    """As if the process were gone since a while."""
    run = jobs._running.pop("audit")
    run._is_over = True
    run._working.kill()
    long_ago = datetime.now(UTC) - timedelta(seconds=SILENT + 1)
    collection.update_one({"_id": "audit"}, {"$set": {"beat_at": long_ago}})


def test_a_gateway_that_stops_ends_its_jobs_at_once(jobs):
    jobs.start("audit", Work(), by="u-op", why=None)

    jobs.stop()

    told = jobs.find("audit")
    assert (told.state, told.error["en"]) == ("failed", "Stopped with its gateway.")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (Unavailable("rural did not answer."), "rural did not answer."),
        (AutoReconnect("10.0.0.7 refused"), "The database cannot be reached."),
        (RuntimeError("the password is 1234"), "The service made a mistake; it has been logged."),
    ],
)
def test_a_job_that_fails_says_why_without_its_innards(jobs, error, says):
    def work(progress):
        progress.add_finding({"id": "c-1"})
        raise error

    jobs.start("audit", work, by="u-op", why=None)

    told = ended(jobs)
    assert (told.state, told.error["en"], told.found_count) == ("failed", says, 1)


def test_all_that_is_found_is_counted_and_the_first_thousand_are_listed(jobs):
    def work(progress):
        for number in range(LISTED + 5):
            progress.add_finding({"id": f"c-{number}"})

    jobs.start("audit", work, by="u-op", why=None)

    told = ended(jobs)
    assert (told.found_count, len(told.found), told.found[-1]) == (1_005, 1_000, {"id": "c-999"})
    (outline,) = jobs.all()
    assert (outline.found, "found" in outline.outline()) == ([], False)


def test_what_a_job_is_about_and_what_it_makes_are_kept_beside_how_it_is_told(jobs):
    def work(progress):
        progress.result = {"parts": [5]}

    jobs.start("r-1", work, by="u-op", why=None, about={"kpi": "$K2"})
    ended(jobs, "r-1")

    (job,) = jobs.read({"$match": {"about.kpi": "$K2"}})
    assert (job.about, job.result, job.answer()) == ({"kpi": "$K2"}, {"parts": [5]}, jobs.find("r-1").answer())


def test_a_gateway_forgets_its_jobs_that_are_over(jobs):
    for number in range(5):
        jobs.start(f"r-{number}", nothing, by="u-op", why=None)
        ended(jobs, f"r-{number}")

    assert len(jobs._running) == 1


def test_a_job_is_stored_as_earlier_releases_read_and_wrote_it(jobs, collection):
    jobs.start("audit", nothing, by="u-op", why="$why")
    ended(jobs)

    (stored,) = collection.find()
    assert {name: value for name, value in stored.items() if not name.endswith("_at") and name != "run"} == {
        "_id": "audit", "state": "done", "by": "u-op", "why": "$why", "about": None, "unit": "records", "error": None,
        "at": "", "done": 0, "total": 0, "found_count": 0, "found": [], "result": {},
    }  # fmt: skip
    assert {name for name in stored if name.endswith("_at")} == {"started_at", "beat_at", "ended_at"}
