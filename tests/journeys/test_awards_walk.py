"""Nobody's name leaves its service (X-08): a contest full of marks, and a walk through all that came of it.

They are searched for in every event, in every line of the log, in every document of every database, and in every
answer of the gateway in every role: who may read the field that holds a mark is told it, and nobody else.
"""

import logging
import re
from collections import defaultdict
from contextlib import contextmanager

import pytest
import structlog

from services.awards.service import Awards
from services.chassis.log import QUIET
from services.chassis.mongo import client
from services.chassis.records import Records
from services.chassis.tokens import ROLES, STAFF
from services.members.service import Members
from services.outreach.service import Outreach
from services.rural.service import Rural
from tests.chassis.outsider import Witness
from tests.gateway.everything import everything
from tests.journeys.marked import OBJECTOR, ByHttp, hold, marks_in
from tests.journeys.visitor import Visitor
from tests.stack import until

KEPT = {
    "zzqfirsttitle": {"entry.history.before.material.title"},
    "zzqtitle": {"entry.state.material.title", "entry.state.work_keys"},
    "zzqnewtitle": {"entry.state.material.title", "entry.state.work_keys"},
    "zzqtutor": {"entry.state.material.tutor_refs"},
    "zzqconsent": {"entry.state.material.entrants.consent_ref"},
    "zzqconflictnote": {"conflicts.state.conflicts.note"},
    "zzqcommentluo": {"score_sheet.state.versions.comment"},
    "zzqcommenttan": {"score_sheet.state.versions.comment"},
    "zzqdecisionreason": {"notice.state.decisions.reason"},
    "zzqprintedname": {"award.state.names"},
    "zzqprizetitle": {"external_result.state.title", "external_result.state.title_norm"},
    "zzqfirstentrant": {"external_result.state.first_entrant", "external_result.state.first_entrant_norm"},
    "zzqtopictitle": {"topic.state.title", "topic.state.title_norm"},
    "zzqtargettitle": {"recommendation.state.target_title", "recommendation.state.target_title_norm"},
}
"""Where awards keeps what it was told; a reason stands in the history of the record that was changed for it."""

KEPT_ELSEWHERE = {
    "zzqtheme": {"outreach.campaign.state.theme"},
    "zzqvenuename": {"outreach.venue.state.name"},
    "zzqactivitytitle": {"outreach.activity.state.title"},
    "zzqplace": {"outreach.evidence.state.place"},
    "zzqevidencetext": {"outreach.evidence.state.note"},
    "zzqfilingno": {"rural.association.state.registrations.no", "rural.association.state.official_numbers"},
    "zzqcharterdoc": {"rural.association.state.charter_doc"},
    "zzqleader": {"rural.association.state.leader_person_id"},
    "zzqofficer": {"rural.service_point.state.parts.officer.person_id"},
    "zzqofficerphone": {"rural.service_point.state.parts.officer.phone"},
    "zzqoriginaldoc": {"rural.fund_grant.state.original_doc_no"},
    "zzqminutes": {"members.organisation.state.founding_meeting.minutes_doc"},
    "zzqchair": {"members.organisation.state.founding_meeting.chair_person_id"},
}
PLACES = {mark: {f"awards.{place}" for place in places} for mark, places in KEPT.items()} | KEPT_ELSEWHERE

SEALED = {*OBJECTOR.values(), "zzqanonymousgrounds"}
"""What nobody reads who has the database alone."""

CLASSES = {
    records.kind.key: records.field_classes()
    for service in (Awards, Members, Outreach, Rural)
    for records in vars(service).values()
    if isinstance(records, Records)
}
HISTORY = re.compile(r"/api/v1/(?P<service>\w+)/(?P<plural>\w+)/\{id\}/history(\.csv|\.xlsx)?")
RECORDS = re.compile(r"/api/v1/(?P<service>\w+)/(?P<plural>\w+)(/\{id\}|\.csv|\.xlsx)?")
QUESTIONS = "/api/v1/awards/questions"
READ_OBJECTOR = f"{QUESTIONS}/read_objector"
MAY_READ = {
    **{(READ_OBJECTOR, mark): {"verifier", "chair"} for mark in SEALED},  # who handle objections
    (f"{QUESTIONS}/certificate_of", "zzqprintedname"): set(STAFF),  # who print certificates
    (f"{QUESTIONS}/conflicts_of", "zzqconflictnote"): {"chair"},  # who decides about conflicts
    (f"{QUESTIONS}/my_sheets", "zzqcommentluo"): {"judge"},  # what the judge wrote
}
FILES = (".csv", ".xlsx", ".docx")
THERE_IS_NONE = {
    "/api/v1/alerts/rules/{id}", "/api/v1/commands/{command_id}", "/api/v1/imports/{id}", "/api/v1/imports/{id}/file",
    "/api/v1/operations/parked/{service}/{id}", "/api/v1/plans/{year}/periods/{period}/editions/{no}",
    "/api/v1/recounts/{id}",
}  # fmt: skip
OTHERS = ("/api/v1/members/", "/api/v1/outreach/", "/api/v1/rural/")


def may_read(template, mark):
    """In which roles somebody is told a mark there, and why."""
    if HISTORY.fullmatch(template) and (mark.endswith(("reason", "note")) or mark == "zzqfirsttitle"):
        return set(STAFF)  # why a record was changed, and what its office fields were before
    if at := RECORDS.fullmatch(template):
        key = next((key for key, one in CLASSES.items() if (one.kind.service, one.kind.plural) == at.groups()[:2]), "")
        return roles_of(key, mark)
    return MAY_READ.get((template, mark), set())


def roles_of(key, mark, *, personal=False):
    """The roles that are shown a mark by the records of a kind, as the class of the field that holds it says."""
    at = f"{key}.state."
    paths = [place.removeprefix(at) for place in PLACES.get(mark, ()) if place.startswith(at)]
    told = [
        one for path, one in CLASSES[key].described.items() if any(f"{held}.".startswith(f"{path}.") for held in paths)
    ]
    shown = ("office", "personal") if personal else ("office",)
    return {role for one in told if one["class"] in shown for role in one["roles"]} if key else set()


@contextmanager
def every_line():
    """What is logged by anybody on any level, as it would be written."""
    lines, was, root = [], structlog.get_config(), logging.getLogger()
    levels = {name: logging.getLogger(name).level for name in QUIET}

    class Handler(logging.Handler):
        def emit(self, record):
            lines.append(self.format(record))

    def keep(_logger, _method, said):
        lines.append(said)
        raise structlog.DropEvent

    written = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
    handler, level = Handler(), root.level
    structlog.configure(processors=[*written, keep])
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    for name, quiet in QUIET.items():
        logging.getLogger(name).setLevel(quiet)
    try:
        yield lines
    finally:
        structlog.configure(**was)
        root.removeHandler(handler)
        root.setLevel(level)
        for name, before in levels.items():
            logging.getLogger(name).setLevel(before)


@pytest.fixture(scope="module")
def walked(addresses, keys):
    """A contest that is over, with everything that was said of it."""
    with every_line() as lines, everything(addresses, keys) as gateway, Witness(gateway.running.settings) as witness:
        contest = ByHttp(gateway, 99)
        hold(contest)
        contest.lines_logged, contest.witness = lines, witness
        yield contest


# --- the walk ---------------------------------------------------------------------------------------------------------


@pytest.mark.rule("X-08", "A-29")
def test_no_event_names_anybody(walked):
    messages = walked.witness.messages
    said = {(one.delivery_info["routing_key"], str(marks_in(f"{one.body} {one.headers}".encode()))) for one in messages}

    assert {key for key, _ in said} >= {"objection.filed", "award.revoked", "score_sheet.scored", "honour.withdrawn"}
    assert {one for one in said if one[1] != "set()"} == set()


@pytest.mark.rule("X-08", "A-29")
def test_no_line_of_the_log_names_anybody(walked):
    logged = [line for line in walked.lines_logged if marks_in(line.encode())]

    assert len(walked.lines_logged) > 10
    assert logged == []


@pytest.mark.rule("X-08")
def test_no_answer_to_a_command_repeats_what_was_said(walked):
    assert [(path, marks_in(content)) for path, content in walked.answers if marks_in(content)] == []


@pytest.mark.rule("X-08", "A-29")
def test_what_names_somebody_is_kept_in_its_record_and_nowhere_else(walked):
    found = defaultdict(set)
    for place, text in texts(walked.running):
        for mark in marks_in(text):
            found[mark].add(place)

    assert set(found) == walked.marks_taken - SEALED
    for mark, places in found.items():
        assert places == PLACES.get(mark) or re.fullmatch(r"awards\.\w+\.history\.reason", *places), (mark, places)


def texts(running):
    """Every text of every database, with the database, the collection and the field that it stands in."""
    held = client(running.settings.mongo_uri)
    prefix = running.settings.database_prefix
    for name in held.list_database_names():
        if name.startswith(prefix):
            for collection in held[name].list_collection_names():
                for document in held[name][collection].find():
                    yield from _texts(f"{name.removeprefix(prefix).lstrip('_.-')}.{collection}", document)


def _texts(place, value):
    if isinstance(value, dict):
        for name, one in value.items():
            yield place, str(name).encode()
            yield from _texts(f"{place}.{name}", one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(place, one)
    else:
        yield place, value if isinstance(value, bytes) else str(value).encode()


# --- the gateway ------------------------------------------------------------------------------------------------------


@pytest.mark.rule("X-08", "A-13", "A-29")
@pytest.mark.timeout(300)
def test_the_gateway_tells_a_mark_to_nobody_but_those_whose_work_needs_it(walked):
    visitor, told, answers = Visitor(walked.gateway), defaultdict(set), defaultdict(set)
    searchable = visitor.searchable
    for template in searchable:
        for role, address in asking(visitor, template):
            answered = walked.gateway.get(address, **who(walked, role))
            answers[template].add(answered.status)
            for mark in marks_in(answered.content):
                told[template, mark].add(role)

    assert {where: roles for where, roles in told.items() if not roles <= may_read(*where)} == {}
    assert {one for one in searchable if 200 not in answers[one] and not one.startswith(OTHERS)} == THERE_IS_NONE
    assert told[READ_OBJECTOR, "zzqphone"] == {"verifier", "chair"}
    assert "chair" in told["/api/v1/awards/objections/{id}/history", "zzqdismissreason"]


def asking(visitor, template):
    """Everybody asks for each thing, and of several records for the first; for all of them the chair, who may most.

    A file says what the same address without its ending does, and is slow to make: the chair asks for one.
    """
    addresses = visitor.addresses(template)
    if template.endswith(FILES):
        yield from (("chair", address) for address in addresses[:1])
        return
    for role in (None, *ROLES):
        for address in addresses[:1] if role != "chair" and "{id}" in template else addresses:
            yield role, address


def who(contest, role):
    """Nobody, or somebody in a role; as a judge the one who sees most."""
    if role is None:
        return {"token": ""}
    return {"by": contest.judge("luo") if role == "judge" else f"u-visiting-{role}", "roles": (role,)}


@pytest.mark.rule("X-08", "A-12", "A-13")
@pytest.mark.parametrize("personal", [False, True], ids=["as it is", "with personal fields"])
def test_each_role_reads_exactly_what_the_classes_of_the_fields_allow(walked, personal):
    marked = records_with_marks(walked.running)

    assert {key for key, _ in marked} >= {"awards.entry", "outreach.activity", "rural.service_point"}
    for (key, id_), marks in marked.items():
        kind, asked = CLASSES[key].kind, "?personal=true" if personal else ""
        address = f"/api/v1/{kind.service}/{kind.plural}"
        may_ask = {role for roles in CLASSES[key].personal.values() for role in roles} if personal else {*ROLES}
        for role in (None, *ROLES):
            expected = {mark for mark in marks if role in may_ask & roles_of(key, mark, personal=personal)}
            one = walked.gateway.get(f"{address}/{id_}{asked}", **who(walked, role))
            several = walked.gateway.get(f"{address}{asked}", **who(walked, role))
            assert marks_in(one.content) == expected, (key, role)
            assert marks_in(several.content) & marks == expected, (key, role)
            if role is not None and one.status == 200:
                assert (one.headers["Cache-Control"], "Authorization" in one.headers["Vary"]) == ("no-store", True)


def records_with_marks(running):
    """The marks that the state of each record has, by kind and id."""
    found = {}
    for key, classes in CLASSES.items():
        for document in running.database(classes.kind.service)[classes.kind.name].find():
            if marks := marks_in(str(document["state"]).encode()):
                found[key, document["_id"]] = marks
    return found


@pytest.mark.rule("X-08")
def test_in_another_district_staff_read_the_view_only(walked):
    address, clerk = "/api/v1/outreach/activities", {"roles": ("recorder",)}
    here, there = (walked.running.token("u-bound", ("recorder",), district) for district in ("511102", "511111"))

    assert marks_in(walked.gateway.get(f"{address}/w-3", token=here, **clerk).content) == {"zzqactivitytitle"}
    for asked in (f"{address}/w-3", address, f"{address}?search=zzqactivity", f"{address}?title=zzqactivitytitle"):
        assert marks_in(walked.gateway.get(asked, token=there, **clerk).content) == set()
    assert walked.gateway.get(f"{address}?title=zzqactivitytitle", token=there, **clerk).body["total"] == 0


@pytest.mark.rule("X-08")
def test_each_reading_of_personal_fields_is_in_the_audit_trail_and_its_service_notes_it(walked):
    address = "/api/v1/rural/service_points/w-5?personal=true"
    read = walked.gateway.get(address, by="u-noted", roles=("chair",))
    refused = walked.gateway.get(address, by="u-noted", roles=("operator",))
    file = walked.gateway.get("/api/v1/rural/service_points.csv?personal=true", by="u-noted", roles=("chair",))

    assert (read.body["parts"]["officer"]["phone"], refused.status) == ("zzqofficerphone", 403)
    assert "zzqofficerphone" in marks_in(file.content)
    trail = until(lambda: audited(walked, "u-noted", 3))
    assert sorted((one["address"].partition("?")[0], one["status"]) for one in trail) == [
        ("/api/v1/rural/service_points.csv", 200), (address.partition("?")[0], 200), (address.partition("?")[0], 403),
    ]  # fmt: skip
    logged = [line for line in walked.lines_logged if "personal fields read" in line and "u-noted" in line]
    assert any('"w-5"' in line for line in logged)
    assert [line for line in logged if marks_in(line.encode())] == []


def audited(contest, who, number):
    entries = contest.gateway.get(f"/api/v1/audit?actor={who}", roles=("operator",)).body["items"]
    return entries if len(entries) >= number else None


@pytest.mark.rule("X-08")
def test_a_certificate_on_which_names_are_drawn_is_for_staff(walked):
    visitor = Visitor(walked.gateway)

    (template,) = [one for one in visitor.operations if one.endswith(".pdf")]
    for role in (None, *ROLES):
        asked = [walked.gateway.get(address, **who(walked, role)) for address in visitor.addresses(template)]
        statuses = {answered.status for answered in asked}
        assert (200 in statuses) == (role in STAFF), role
