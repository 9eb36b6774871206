"""Sheets that are uploaded for a command: judged, written all or not at all, and gone on with whatever happens."""

import csv
import io
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.imports import import_record, import_runner, import_store, import_worker, sheet_process, sheets, uploads
from gateway.imports.chunks import KEPT, FileChunks
from gateway.imports.import_record import ErrorCount, Import
from gateway.imports.import_store import ImportStore
from gateway.imports.uploads import Quota
from gateway.service import Gateway
from gateway.upstream import delegation as asking
from gateway.upstream.delegation import DelegatedCaller
from services.chassis.clock import SystemClock
from services.chassis.fields import json_schema
from services.chassis.mongo import database
from services.chassis.tokens import Actor
from services.outreach.schemas.activities import RecordCount
from services.outreach.service import Outreach
from tests.gateway.conftest import Http
from tests.gateway.imports.sheets.examples import a_book
from tests.outreach.acting import Acting
from tests.stack import MovableClock, until

COLUMNS = sheets.columns(json_schema(RecordCount()), of="outreach.record_count")
PATH = "/api/v1/imports/outreach/record_count"
DAYS = ("2011-05-14", "2011-05-15", "2011-05-16")
OPERATOR = {"by": "u-op", "roles": ("operator",)}


@pytest.fixture
def settings(settings):
    return replace(settings, request_limit=50_000, upload_limit=200_000)


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch):
    monkeypatch.setattr(sheet_process, "ROWS", 4)
    monkeypatch.setattr(import_runner, "LOOK", 0.05)
    monkeypatch.setattr(asking, "PATIENCE", 0.2)


@pytest.fixture
def gateway(gateway):
    gateway.running.start(Outreach)
    return gateway


@pytest.fixture
def activities(gateway):
    """Activities that were held on three days."""
    acting = Acting(gateway.running)
    for number in range(1, 5):
        acting.hold(f"a-{number}", days=DAYS)
    return acting


def a_row(number=0, **changed):
    """Another day and method of another activity for each number up to 70."""
    method = ("scan", "sign_in", "headcount", "turnstile", "estimate", "report")[number // 12 % 6]
    audience = {"activity_id": f"a-{number % 4 + 1}", "day": DAYS[number // 4 % 3], "mode": "offline", "method": method}
    return {**audience, "person_times": 10 + number, "minors": 0, **changed}


def a_sheet(*rows):
    """A CSV as a clerk would fill it: the first row of data is row 2."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([column.header() for column in COLUMNS])
    writer.writerows([row.get(column.name, "") for column in COLUMNS] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def upload(gateway, sheet, *, dry_run=False, status=202, key=None, **how):
    """What is answered at once."""
    path = f"{PATH}?dry_run={'true' if dry_run else 'false'}&filename=counts.csv"
    answered = gateway.post(path, sheet, headers={"Idempotency-Key": key} if key else {}, **how)
    assert answered.status == status, answered.content
    return answered.body


def confirm(gateway, import_id, status=202, **how):
    answered = gateway.post(f"/api/v1/imports/{import_id}/confirm", **how)
    assert answered.status == status, answered.content
    return answered.body


def ended(gateway, import_id):
    """The import as it ended."""

    def look():
        told = gateway.get(f"/api/v1/imports/{import_id}", roles=("recorder",))
        assert told.status == 200, told.content
        return told.body if told.body["ended_at"] else None

    return until(look)


def counts(gateway):
    return list(gateway.running.database("outreach")["audience_count"].find())


def k2(gateway):
    gateway.running.settle()
    return gateway.get("/api/v1/kpis/K2").body["reported"]["value"]


def is_once(gateway):
    """Is every count there in one version, and known here in that one only?"""
    gateway.running.settle()
    history = "/api/v1/records/outreach/audience_count/{}/history"
    versions = [gateway.get(history.format(count["_id"])).body["versions"] for count in counts(gateway)]
    return all(len(of_one) == 1 for of_one in versions)


@pytest.mark.rule("X-10")
def test_a_sheet_with_seven_bad_rows_writes_nothing_and_names_all_seven(gateway, activities):
    activities.record_count(count_id="n-1", activity_id="a-1", day=DAYS[0], method="scan", person_times=5)
    good = [a_row(number) for number in range(1, 8)]
    bad = [
        a_row(20, day="五月的一天"),
        a_row(21, day="2011-05-20"),
        a_row(22, person_times=5, minors=6),
        a_row(23, activity_id="a-9"),
        a_row(24, mode="online", method="scan"),
        good[0],
        a_row(0),
    ]

    import_id = upload(gateway, a_sheet(*good, *bad))["id"]
    told = ended(gateway, import_id)

    assert (told["state"], told["total"], told["wrong_rows"], told["errors"]) == ("refused", 14, 7, 7)
    assert [(error["row"], error["code"]) for error in told["first_errors"]] == [
        (9, "invalid_input"), (10, "O-20"), (11, "O-01"), (12, "not_found"), (13, "O-11"), (14, "O-03"), (15, "O-03"),
    ]  # fmt: skip
    assert all(error["zh"] and error["en"] for error in told["first_errors"])
    assert told["first_errors"][0]["cell"]
    assert [count["_id"] for count in counts(gateway)] == ["n-1"]
    assert k2(gateway) == 5
    confirm(gateway, import_id, status=409)


@pytest.mark.usefixtures("activities")
def test_the_same_file_comes_back_with_what_is_wrong_beside_each_row(gateway):
    import_id = upload(gateway, a_sheet(a_row(1), a_row(2, day="2011-05-20")), dry_run=True)["id"]
    ended(gateway, import_id)

    answered = gateway.get(f"/api/v1/imports/{import_id}/file", roles=("recorder",))
    lines = answered.content.decode("utf-8-sig").splitlines()

    assert (answered.status, len(lines)) == (200, 3)
    assert "counts.csv" in answered.headers["Content-Disposition"]
    assert ("已到的日期" in lines[2], "已到的日期" in lines[1]) == (True, False)


@pytest.mark.rule("X-10")
@pytest.mark.usefixtures("activities")
def test_a_dry_run_writes_nothing_until_it_is_confirmed(gateway):
    rows = [a_row(number) for number in range(11)]

    import_id = upload(gateway, a_sheet(*rows), dry_run=True)["id"]
    checked = ended(gateway, import_id)
    assert (checked["state"], checked["wrong_rows"], checked["done"], checked["total"]) == ("checked", 0, 11, 11)
    assert counts(gateway) == []

    confirm(gateway, import_id)
    done = ended(gateway, import_id)
    assert (done["state"], done["phase"], done["done"], done["dry_run"]) == ("done", "writing", 11, False)
    assert k2(gateway) == sum(row["person_times"] for row in rows)
    assert len(counts(gateway)) == 11
    assert {count["history"][0]["by"] for count in counts(gateway)} == {"u-li"}
    assert is_once(gateway)
    assert confirm(gateway, import_id)["state"] == "done"


@pytest.mark.rule("X-10")
@pytest.mark.usefixtures("activities")
def test_hidden_rows_are_named_and_nothing_is_written_until_they_are_confirmed(gateway, tmp_path):
    rows = [[a_row(number)[column.name] for column in COLUMNS if column.name in a_row()] for number in range(25)]
    header = [column.header() for column in COLUMNS if column.name in a_row()]
    sheet = a_book(tmp_path, header, *rows, hide=[3, *range(5, 27)]).read_bytes()

    checked = ended(gateway, upload(gateway, sheet, dry_run=False)["id"])
    assert (checked["state"], checked["total"], checked["hidden_rows"]) == ("checked", 25, 23)
    assert checked["first_hidden_rows"] == [3, *range(5, 24)]
    assert counts(gateway) == []

    confirm(gateway, checked["id"])
    assert ended(gateway, checked["id"])["state"] == "done"
    assert len(counts(gateway)) == 25


def test_a_sheet_without_a_row_of_data_is_not_done(gateway):
    failed = ended(gateway, upload(gateway, a_sheet())["id"])

    assert (failed["state"], failed["total"]) == ("failed", 0)
    assert failed["problem"] == {
        "zh": "file：表头下没有可导入的数据行。",
        "en": "file: There is no row of data below the header.",
    }


@pytest.mark.usefixtures("activities")
def test_what_an_import_needed_is_deleted_when_it_is_done(gateway):
    import_id = upload(gateway, a_sheet(a_row(1), a_row(2)))["id"]
    assert ended(gateway, import_id)["state"] == "done"

    assert gateway.get(f"/api/v1/imports/{import_id}/file", roles=("recorder",)).status == 404
    until(lambda: gateway.running.database("gateway")["uploads"].count_documents({}) == 0)
    assert gateway.running.database("outreach")["audience_count_staged"].count_documents({}) == 0


@pytest.mark.rule("X-01")
@pytest.mark.usefixtures("activities")
def test_the_same_key_is_the_same_import_and_nothing_is_written_twice(gateway):
    sheet = a_sheet(*(a_row(number) for number in range(6)))
    first = upload(gateway, sheet, key="i-1")
    ended(gateway, "i-1")

    again = upload(gateway, sheet, key="i-1")

    assert (first["id"], again["id"], again["state"]) == ("i-1", "i-1", "done")
    assert len(counts(gateway)) == 6
    reused = upload(gateway, a_sheet(a_row(9)), key="i-1", status=409)
    assert (reused["code"], reused["involved"]["used_for"]) == ("command_id_reused", "import: outreach.record_count")


@pytest.mark.rule("X-01")
@pytest.mark.usefixtures("activities")
def test_two_clerks_who_use_one_key_have_each_their_own_import(gateway):
    first = upload(gateway, a_sheet(a_row(1)), key="i-1")
    second = upload(gateway, a_sheet(a_row(2), a_row(3)), key="i-1", by="u-chen")
    ended(gateway, "i-1")

    again = upload(gateway, a_sheet(a_row(2), a_row(3)), key="i-1", by="u-chen")
    asked = [gateway.get("/api/v1/imports/i-1", by=by, roles=("recorder",)).body for by in ("u-li", "u-chen")]
    until(lambda: len(counts(gateway)) == 3)

    assert first["id"] == "i-1" != second["id"] == again["id"]
    assert [import_["id"] for import_ in asked] == [first["id"], second["id"]]
    assert gateway.get(f"/api/v1/imports/{second['id']}", by="u-li", roles=("recorder",)).status == 404
    upload(gateway, a_sheet(a_row(1)), key="i-1", by="u-chen", status=409)


class Held:
    """Holds the importer up when it has written so many chunks."""

    def __init__(self, monkeypatch, chunks):
        self.written, self.is_held, self._chunks = 0, False, chunks
        ask = DelegatedCaller.__call__

        def ask_when_let(asking, service, method, **given):
            if method == "write_rows":
                self._wait()
            return ask(asking, service, method, **given)

        monkeypatch.setattr(DelegatedCaller, "__call__", ask_when_let)

    def _wait(self):
        self.is_held = self.written == self._chunks
        until(lambda: not self.is_held, within=60)
        self.written += 1

    def go_on(self):
        self._chunks = None
        self.is_held = False


@pytest.mark.rule("X-10")
@pytest.mark.parametrize("is_killed", [False, True])
@pytest.mark.usefixtures("activities")
def test_an_import_goes_on_where_its_gateway_ended_and_doubles_nothing(gateway, monkeypatch, is_killed):
    rows = [a_row(number) for number in range(18)]
    held = Held(monkeypatch, chunks=1)
    monkeypatch.setattr("services.chassis.batch.ROWS", 4)
    if is_killed:
        monkeypatch.setattr(ImportStore, "put_back", lambda *_: None)
        monkeypatch.setattr(import_store, "SILENT", 0.5)

    import_id = upload(gateway, a_sheet(*rows))["id"]
    until(lambda: held.is_held)
    assert len(counts(gateway)) == 4
    gateway.running.stop("gateway")
    held.go_on()
    gateway.running.start(Gateway)
    gateway = Http(gateway.running)

    told = ended(gateway, import_id)
    assert (told["state"], told["done"]) == ("done", 18)
    assert len(counts(gateway)) == 18
    assert is_once(gateway)
    assert k2(gateway) == sum(row["person_times"] for row in rows)


@pytest.mark.rule("X-10")
def test_where_somebody_else_makes_a_row_impossible_it_stops_and_goes_on_when_that_is_mended(
    gateway, activities, monkeypatch
):
    rows = [a_row(number) for number in range(10)]
    held = Held(monkeypatch, chunks=1)
    monkeypatch.setattr("services.chassis.batch.ROWS", 4)

    import_id = upload(gateway, a_sheet(*rows))["id"]
    until(lambda: held.is_held)
    activities.record_count(count_id="n-1", by="u-chen", **rows[5])
    held.go_on()
    told = ended(gateway, import_id)
    assert (told["state"], told["done"], told["wrong_rows"]) == ("stopped", 4, 1)
    assert [(error["row"], error["code"]) for error in told["first_errors"]] == [(7, "O-03")]
    assert len(counts(gateway)) == 5

    confirm(gateway, import_id)  # too early: nothing is mended yet
    told = ended(gateway, import_id)
    assert (told["state"], told["done"], told["errors"]) == ("stopped", 4, 1)

    activities.reject_count(count_id="n-1")
    confirm(gateway, import_id)
    told = ended(gateway, import_id)
    assert (told["state"], told["done"], told["errors"]) == ("done", 10, 0)
    assert len(counts(gateway)) == 11
    assert k2(gateway) == sum(row["person_times"] for row in rows)


@pytest.mark.usefixtures("activities")
def test_an_import_waits_for_its_service(gateway, monkeypatch):
    held = Held(monkeypatch, chunks=1)
    monkeypatch.setattr("services.chassis.batch.ROWS", 4)
    monkeypatch.setattr(import_worker, "WITHIN", 0.5)
    monkeypatch.setattr(import_runner, "BEAT", 0.05)  # while it is put back, too
    import_id = upload(gateway, a_sheet(*(a_row(number) for number in range(6))))["id"]
    until(lambda: held.is_held)
    gateway.running.stop("outreach")
    held.go_on()

    def told():
        return gateway.get(f"/api/v1/imports/{import_id}", roles=("recorder",)).body

    until(lambda: told()["state"] == "waiting")
    gateway.running.start(Outreach)

    assert ended(gateway, import_id)["state"] == "done"
    assert len(counts(gateway)) == 6


@pytest.mark.rule("X-10")
@pytest.mark.usefixtures("activities")
def test_an_import_whose_rows_are_gone_writes_nothing_and_says_so(gateway, monkeypatch):
    monkeypatch.setattr(sheet_process, "ROWS", 4)
    import_id = upload(gateway, a_sheet(*(a_row(number) for number in range(12))), dry_run=True)["id"]
    assert ended(gateway, import_id)["state"] == "checked"

    gateway.running.database("gateway")["uploads"].delete_one({"what": "rows", "place": 1})
    confirm(gateway, import_id)

    told = ended(gateway, import_id)
    assert (told["state"], told["problem"]["en"]) == (
        "failed",
        "The rows are not kept any more; upload the file again.",
    )
    assert counts(gateway) == []


def test_a_service_judges_a_district_s_recorder_as_for_a_single_command(gateway, activities):
    activities.hold("a-9", days=DAYS, district="511111")
    token = gateway.running.token("u-sun", ("recorder",), "511111")
    sheet = a_sheet(a_row(1, activity_id="a-9"), a_row(2))

    import_id = upload(gateway, sheet, token=token)["id"]
    until(lambda: gateway.get(f"/api/v1/imports/{import_id}", token=token).body["ended_at"])

    (error,) = gateway.get(f"/api/v1/imports/{import_id}", token=token).body["first_errors"]
    assert (error["row"], error["code"]) == (3, "not_allowed")


def test_who_may_not_give_a_command_may_not_import_for_it(gateway):
    assert upload(gateway, a_sheet(a_row()), roles=("viewer", "verifier"), status=403)["code"] == "not_allowed"
    assert upload(gateway, a_sheet(a_row()), token="", status=401)


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ("sports/record_count", 404, "not_found"),
        ("outreach/record_match", 404, "not_found"),
        ("outreach/verify_count", 404, "not_importable"),
        ("outreach/record_count?dry_run=perhaps", 400, "invalid_input"),
        ("outreach/record_count?sheet=1", 400, "invalid_input"),
    ],
)
def test_what_cannot_be_imported_is_refused_before_anything_is_kept(gateway, address, status, code):
    answered = gateway.post(f"/api/v1/imports/{address}", a_sheet(a_row()), roles=("recorder", "verifier"))

    assert (answered.status, answered.body["code"]) == (status, code)
    assert gateway.running.database("gateway")["uploads"].count_documents({}) == 0


@pytest.mark.usefixtures("activities")
def test_a_sheet_may_be_larger_than_a_command_but_not_larger_than_the_setting(gateway):
    blanks = b"\n" * 60_000

    assert upload(gateway, a_sheet(a_row(1)) + blanks)["bytes"] > 60_000
    assert upload(gateway, a_sheet(a_row(1)) + b"\n" * 200_000, status=413)["code"] == "too_large"
    assert upload(gateway, b"", status=400)["errors"][0]["field"] == "file"
    assert gateway.post("/api/v1/outreach/record_count", b" " * 60_000).status == 413


@pytest.mark.usefixtures("activities")
def test_a_form_s_file_is_taken_with_its_name(gateway):
    head = '--x\r\nContent-Disposition: form-data; name="{}"; filename="五月 人次.csv"\r\n\r\n'
    bodies = {name: head.format(name).encode() + a_sheet(a_row(1)) + b"\r\n--x--\r\n" for name in ("file", "sheet")}
    kind = {"Content-Type": "multipart/form-data; boundary=x"}

    taken = gateway.post(PATH, bodies["file"], headers=kind)
    refused = gateway.post(PATH, bodies["sheet"], headers=kind)

    assert (taken.status, taken.body["filename"], taken.body["dry_run"]) == (202, "五月 人次.csv", True)
    assert (refused.status, refused.body["errors"][0]["field"]) == (400, "file")
    assert ended(gateway, taken.body["id"])["state"] == "checked"

    two = gateway.post(PATH, bodies["file"].removesuffix(b"--x--\r\n") + bodies["file"], headers=kind)
    assert (two.status, two.body["errors"][0]["en"]) == (400, "2 files; send one.")


def test_a_file_that_is_no_sheet_fails_and_says_why(gateway):
    import_id = upload(gateway, b"PK\x03\x04 and nothing else", dry_run=True)["id"]

    told = ended(gateway, import_id)

    assert told["state"] == "failed"
    assert told["problem"]["zh"]
    assert told["problem"]["en"]
    confirm(gateway, import_id, status=409)


@pytest.mark.usefixtures("activities")
def test_imports_are_seen_by_whom_they_belong_to_and_by_operators(gateway):
    mine = upload(gateway, a_sheet(a_row(1)), dry_run=True)["id"]
    ended(gateway, mine)
    theirs = upload(gateway, a_sheet(a_row(2)), dry_run=True, by="u-chen")["id"]

    def listed(**who):
        return [one["id"] for one in gateway.get("/api/v1/imports?limit=10", **who).body["items"]]

    assert (listed(), listed(by="u-chen"), listed(**OPERATOR)) == ([mine], [theirs], [theirs, mine])
    assert gateway.get(f"/api/v1/imports/{theirs}").status == 404
    assert gateway.get(f"/api/v1/imports/{theirs}/file").status == 404
    assert gateway.post(f"/api/v1/imports/{theirs}/confirm").status == 404
    assert gateway.get(f"/api/v1/imports/{theirs}", **OPERATOR).status == 200
    assert gateway.post(f"/api/v1/imports/{theirs}/confirm", **OPERATOR).status == 403


def test_the_template_is_a_sheet_that_can_be_filled(gateway):
    answered = gateway.get(f"{PATH}/template.xlsx")

    assert (answered.status, answered.content[:2]) == (200, b"PK")
    assert answered.headers["Content-Type"] == uploads.XLSX
    assert gateway.get("/api/v1/imports/outreach/verify_count/template.xlsx").body["code"] == "not_importable"


def an_import(**changed):
    """An import of a file whose chunks nobody asks for."""
    upload = {
        "service": "outreach",
        "command": "record_count",
        "upload": "u",
        "sha256": "",
        "bytes": 1,
        "filename": "x",
    }
    return Import(
        id="i-1", dry_run=True, created_at=SystemClock().now(), **{**upload, "actor": Actor("u-li"), **changed}
    )


def an_import_store(base):
    clock = SystemClock()
    return ImportStore(base["imports"], FileChunks(base["uploads"], clock), clock)


def test_only_one_of_two_gateways_works_on_an_import(running):
    one, other = (an_import_store(running.database("gateway")) for _ in range(2))
    one.add(an_import())

    claimed = one.claim()
    assert (claimed.id, other.claim()) == ("i-1", None)
    one.put_back(claimed)
    assert other.claim().id == "i-1"
    with pytest.raises(import_store.TakenOver):
        one.note_progress(claimed, done=1)
    with pytest.raises(import_store.TakenOver):
        one.end(import_record.ended(claimed, "done"))


def test_an_import_at_which_every_gateway_ends_is_left_alone(gateway, monkeypatch):
    imports = an_import_store(gateway.running.database("other"))
    imports.add(an_import(command="x"))
    monkeypatch.setattr(import_store, "SILENT", -1.0)  # all are silent

    assert [imports.claim().tries for _ in range(3)] == [0, 1, 2]
    imports.note_progress(imports.claim(), total=5)
    claimed = imports.claim()
    assert claimed.tries == 1  # it got on

    outcome = gateway.extension(uploads.UploadsProvider).runner.outcome
    failed = outcome(replace(claimed, tries=import_runner.TRIES + 1))
    assert (failed.state, failed.problem["en"]) == ("failed", "Every gateway that worked on it crashed.")


def test_an_import_is_stored_as_earlier_releases_read_and_wrote_it(running):
    base = running.database("gateway")
    imports = an_import_store(base)
    new = an_import(actor=Actor("u-li", frozenset({"viewer", "recorder"}), "511111"), token_id="t-1")
    imports.add(new)

    (stored,) = base["imports"].find()
    assert stored == {
        "_id": "i-1", "upload": "u", "sha256": "", "bytes": 1, "filename": "x", "service": "outreach",
        "command": "record_count", "actor": {"id": "u-li", "roles": ["recorder", "viewer"], "district": "511111"},
        "token_id": "t-1", "dry_run": True, "state": "waiting", "phase": "reading", "has_begun": False, "run": None,
        "created_at": new.created_at, "turn": new.created_at, "place": -1, "done": 0, "staged": 0, "through": 0,
        "tries": 0, "refused": {"rows": 0, "errors": 0}, "problem": None, "total": 0,
        "unreadable": {"rows": 0, "errors": 0}, "hidden": 0, "first_hidden": [], "is_seen": False,
    }  # fmt: skip
    base["imports"].update_one({}, {"$unset": dict.fromkeys(("hidden", "first_hidden", "is_seen"), "")})
    assert imports.get("i-1", new.actor) == new


def test_progress_clears_only_what_it_says_and_is_read_again_as_it_was_noted(running):
    imports = an_import_store(running.database("gateway"))
    imports.add(an_import())
    claimed = imports.claim()

    noted = imports.note_progress(claimed, total=9, unreadable=ErrorCount(2, 3))
    again = imports.note_progress(noted, unreadable=ErrorCount())

    assert (again.total, again.unreadable) == (9, ErrorCount())
    assert imports.get("i-1", claimed.actor) == again


# --- what is kept -----------------------------------------------------------------------------------------------------


def quotas(gateway, monkeypatch, *, each, of_all):
    kept = gateway.extension(uploads.UploadsProvider).provide()
    monkeypatch.setattr(kept, "_for_each", Quota(*each))
    monkeypatch.setattr(kept, "_for_all", Quota(*of_all))


def checked(gateway, sheet, **how):
    """The id of an upload whose import has ended."""
    id_ = upload(gateway, sheet, dry_run=True, **how)["id"]
    until(lambda: gateway.get(f"/api/v1/imports/{id_}", **OPERATOR).body["ended_at"])
    return id_


@pytest.mark.usefixtures("activities")
def test_an_uploader_and_all_together_have_so_many_files_kept_and_a_done_import_makes_room(gateway, monkeypatch):
    quotas(gateway, monkeypatch, each=(2, 10**6), of_all=(3, 10**6))
    first, _ = checked(gateway, a_sheet(a_row(1))), checked(gateway, a_sheet(a_row(2)))

    refused = upload(gateway, a_sheet(a_row(3)), dry_run=True, status=429)
    assert (refused["code"], refused["involved"]["files"]) == ("upload_quota_reached", 2)
    assert 0 < refused["involved"]["seconds"] <= KEPT.total_seconds()

    checked(gateway, a_sheet(a_row(4)), by="u-wang")
    assert upload(gateway, a_sheet(a_row(5)), by="u-zhao", status=429)["involved"]["files"] == 3

    confirm(gateway, first)
    assert ended(gateway, first)["state"] == "done"
    checked(gateway, a_sheet(a_row(6)))


@pytest.mark.usefixtures("activities")
def test_the_bytes_that_are_kept_count_before_the_next_file_is_read(gateway, monkeypatch):
    sheet = a_sheet(a_row(1))
    quotas(gateway, monkeypatch, each=(10, 2 * len(sheet)), of_all=(10, 10**6))
    for _ in range(2):
        checked(gateway, sheet)

    assert upload(gateway, sheet, dry_run=True, status=429)["code"] == "upload_quota_reached"
    assert gateway.running.database("gateway")["uploads"].count_documents({"what": "file"}) == 2
    checked(gateway, sheet, by="u-wang")


def test_an_upload_is_kept_for_hours_and_longer_only_while_its_import_waits(settings):
    base, clock = database(settings, "gateway"), MovableClock()
    imports = ImportStore(base["imports"], FileChunks(base["uploads"], clock), clock)
    imports.prepare()
    for name, state in {"waits": "waiting", "abandoned": "checked"}.items():
        imports.chunks.put(name, "rows", 0, b"[]")
        imports.add(replace(an_import(upload=name, state=state), id=name))

    def hours_left(name):
        (chunk,) = base["uploads"].find({"upload": name})
        return round((chunk["expires_at"] - clock.now()) / timedelta(hours=1))

    assert base["uploads"].index_information()["expires_at_1"]["expireAfterSeconds"] == 0
    imports.keep_waiting()
    assert (hours_left("waits"), hours_left("abandoned")) == (24, 24)

    clock.ahead += timedelta(hours=13)
    imports.keep_waiting()
    assert (hours_left("waits"), hours_left("abandoned")) == (24, 11)
