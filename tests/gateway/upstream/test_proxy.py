"""The services' commands and queries over HTTP, with a real service behind."""

import time
import urllib.error
import urllib.request
from functools import partial
from random import Random

import pytest

from gateway.http.server import Server
from services.awards.service import Awards
from services.chassis.amqp import connect
from services.chassis.problem import NotAuthenticated, Problem
from services.chassis.tokens import Tokens
from services.contract.topology import RPC_EXCHANGE

RESULT = {
    "result_id": "r-1", "series": "youth_contest", "level": "province", "edition_no": 26, "grade": "first",
    "category": "innovation_project", "award_kind": "graded", "title": "太阳能小车", "first_entrant": "p-1",
    "awarded_on": "2011-03-20", "document_sha256": "a" * 64,
}  # fmt: skip

REPORT = "/api/v1/awards/report_external_result"
VERIFY = "/api/v1/awards/verify_external_result"


@pytest.fixture
def gateway(gateway):
    gateway.running.start(Awards)
    return gateway


def test_a_command_changes_a_record_and_the_number_follows(gateway):
    reported = gateway.post(REPORT, RESULT)
    assert (reported.status, reported.body["state"], reported.headers["ETag"]) == (200, "reported", '"1"')
    assert reported.headers["Location"] == "/api/v1/awards/external_results/r-1"

    verified = gateway.post(VERIFY, {"result_id": "r-1"}, by="u-wang", roles=["verifier"])
    gateway.running.settle()

    assert verified.body["version"] == 2
    assert gateway.get("/api/v1/kpis/K1").body["value"] == 1
    (record,) = gateway.get("/api/v1/kpis/K1/records").body["items"]
    assert (record["id"], record["version"], record["state"]) == ("r-1", 2, "verified")


def test_the_same_idempotency_key_is_the_same_command(gateway):
    first = gateway.post(REPORT, RESULT, headers={"Idempotency-Key": "k-1"})
    again = gateway.post(REPORT, RESULT, headers={"Idempotency-Key": "k-1"})
    another = gateway.post(REPORT, RESULT, headers={"Idempotency-Key": "k-2"})
    differs = gateway.post(REPORT, RESULT | {"command_id": "k-3"}, headers={"Idempotency-Key": "k-1"})

    assert again.body == first.body
    assert another.status in (409, 422)
    assert (differs.status, differs.body["errors"][0]["field"]) == (400, "command_id")


@pytest.mark.rule("X-01")
def test_an_idempotency_key_with_another_content_is_a_conflict_that_says_when_it_was_used_and_for_what(gateway):
    gateway.post(REPORT, RESULT, headers={"Idempotency-Key": "k-1"})

    other = gateway.post(REPORT, RESULT | {"result_id": "r-2", "title": "风力车"}, headers={"Idempotency-Key": "k-1"})
    verified = gateway.post(VERIFY, {"result_id": "r-1"}, roles=["verifier"], headers={"Idempotency-Key": "k-1"})

    for refused in (other, verified):
        assert (refused.status, refused.body["code"]) == (409, "command_id_reused")
        assert refused.body["involved"]["used_for"] == "report_external_result"
    assert gateway.running.database("awards")["external_result"].distinct("_id") == ["r-1"]


CALLERS, IDS = ("u-1", "u-2", "u-3", "u-4", "u-5"), 12
CLERK = ("recorder", "verifier")


class Reuse:
    """Callers who take ids as they come, over RPC and HTTP, and what each of them has to be answered."""

    def __init__(self, gateway, random):
        self._gateway, self._random = gateway, random
        self.bound, self.outcomes = {}, {}

    def act(self):
        """Let somebody do something under some id, and check the answer."""
        caller, id_ = self._random.choice(CALLERS), str(self._random.randrange(IDS))
        method, arguments = self._content(caller, id_)
        code, answer = self._random.choice((self._over_rpc, self._over_http))(method, arguments, caller, id_)
        if self.bound.setdefault((caller, id_), (method, arguments)) != (method, arguments):
            assert code == "command_id_reused"
        elif method == "verify_external_result":
            assert code == "not_found"
        else:
            assert code == "done"
            assert self.outcomes.setdefault((caller, id_), answer) == answer
            assert answer["grade"] == arguments["grade"]

    def _content(self, caller, id_):
        if self._random.random() < 0.2:
            return "verify_external_result", {"result_id": f"no-such-{self._random.randrange(2)}"}
        stated = {name: value for name, value in RESULT.items() if name != "result_id"}
        grade = self._random.choice(("first", "second"))
        return "report_external_result", {**stated, "title": f"{caller} {id_}", "grade": grade}

    def _over_rpc(self, method, arguments, caller, id_):
        try:
            done = self._gateway.running.call("awards", method, by=caller, roles=CLERK, command_id=id_, **arguments)
        except Problem as problem:
            return problem.code, None
        return "done", done

    def _over_http(self, method, arguments, caller, id_):
        key = {"Idempotency-Key": id_}
        response = self._gateway.post(f"/api/v1/awards/{method}", arguments, by=caller, roles=CLERK, headers=key)
        return ("done", response.body) if response.status == 200 else (response.body["code"], None)


@pytest.mark.rule("X-01")
def test_of_200_commands_of_five_callers_under_few_ids_each_is_done_once_or_refused(gateway):
    reuse = Reuse(gateway, Random(15))
    for _ in range(200):
        reuse.act()

    done = {answer["id"]: key for key, answer in reuse.outcomes.items()}
    stored = list(gateway.running.database("awards")["external_result"].find())
    assert len(done) == len(reuse.outcomes) > 30
    assert {one["_id"]: [(entry["by"], entry["because"]) for entry in one["history"]] for one in stored} == {
        id_: [key] for id_, key in done.items()
    }


def test_a_command_id_of_null_is_none_and_every_command_gets_one_of_its_own(gateway):
    first = gateway.post(REPORT, RESULT | {"command_id": None, "expected_version": None})
    second = gateway.post(REPORT, RESULT | {"result_id": "r-2", "title": "风力车", "command_id": None})
    same = gateway.post(REPORT, RESULT | {"command_id": None}, headers={"Idempotency-Key": "k-9"})

    assert (first.status, second.status, second.body["id"]) == (200, 200, "r-2")
    assert same.status == 409  # under its own id, taken from the header


@pytest.mark.parametrize("id_", [5, {"a": 1}, "", "x" * 201, "a/b", "a\x00"])
def test_a_command_id_that_cannot_stand_in_an_address_is_refused(gateway, id_):
    response = gateway.post(REPORT, RESULT | {"command_id": id_})

    assert (response.status, response.body["errors"][0]["field"]) == (400, "command_id")


def test_if_match_refuses_a_command_on_a_version_that_is_no_longer_there(gateway):
    gateway.post(REPORT, RESULT)
    who = {"by": "u-wang", "roles": ["verifier"]}

    late = gateway.post(VERIFY, {"result_id": "r-1"}, headers={"If-Match": '"7"'}, **who)
    wrong = gateway.post(VERIFY, {"result_id": "r-1"}, headers={"If-Match": "*"}, **who)
    right = gateway.post(VERIFY, {"result_id": "r-1"}, headers={"If-Match": '"1"'}, **who)

    assert (late.status, late.body["code"]) == (409, "conflict")
    assert (wrong.status, wrong.body["errors"][0]["field"]) == (400, "If-Match")
    assert right.body["version"] == 2


def test_a_service_s_no_reaches_the_caller_with_its_rule(gateway):
    gateway.post(REPORT, RESULT)

    own = gateway.post(VERIFY, {"result_id": "r-1"}, roles=["verifier"])
    not_allowed = gateway.post(VERIFY, {"result_id": "r-1"}, roles=["viewer"])
    missing = gateway.post(VERIFY, {"result_id": "r-2"}, roles=["verifier"])
    wrong = gateway.post(REPORT, RESULT | {"level": "city", "colour": "red"})

    assert (own.status, own.body["code"], own.headers["Content-Type"]) == (422, "A-26", "application/problem+json")
    assert own.body["zh"]
    assert (not_allowed.status, not_allowed.body["code"]) == (403, "not_allowed")
    assert (missing.status, missing.body["involved"]["id"]) == (404, "r-2")
    assert (wrong.status, {error["field"] for error in wrong.body["errors"]}) == (400, {"level", "colour"})


def test_records_of_a_service_are_listed_filtered_and_read(gateway):
    for number, day in enumerate(["2011-03-20", "2011-03-21", "2011-03-22"]):
        prize = {"result_id": f"r-{number}", "title": f"t-{number}", "awarded_on": day, "edition_no": 25 + number}
        assert gateway.post(REPORT, RESULT | prize).status == 200
    path = "/api/v1/awards/external_results"

    assert [record["id"] for record in gateway.get(path).body["items"]] == ["r-0", "r-1", "r-2"]
    assert [record["id"] for record in gateway.get(f"{path}?edition_no=26").body["items"]] == ["r-1"]
    either = gateway.get(f"{path}?awarded_on=2011-03-20&awarded_on=2011-03-22&order=-awarded_on&limit=1").body
    assert ([record["id"] for record in either["items"]], either["total"]) == (["r-2"], 2)
    rest = gateway.get(
        f"{path}?awarded_on=2011-03-20&awarded_on=2011-03-22&order=-awarded_on&cursor={either['cursor']}"
    )
    assert [record["id"] for record in rest.body["items"]] == ["r-0"]

    record = gateway.get(f"{path}/r-1")
    assert (record.body["edition_no"], record.headers["ETag"]) == (26, '"1"')
    history = gateway.get(f"{path}/r-1/history", roles=["verifier"])
    assert [version["happened"] for version in history.body["versions"]] == ["reported"]
    assert gateway.get(f"{path}/r-9").status == 404
    assert gateway.get(f"{path}/r-9/history", roles=["verifier"]).status == 404


NOT_KNOWN = [
    ("GET", "/api/v1/sports/teams", 404, "awards, members, outreach, rural"),
    ("GET", "/api/v1/awards/prizes", 404, "external_results"),
    ("GET", "/api/v1/awards/prizes/p-1", 404, "external_results"),
    ("GET", "/api/v1/awards/prizes/p-1/history", 404, "external_results"),
    ("POST", "/api/v1/awards/grant_all", 404, "report_external_result"),
    ("POST", "/api/v1/awards/list_external_results", 404, "report_external_result"),
    ("POST", REPORT + "?x=1", 400, "Unknown parameter"),
    (
        "GET",
        "/api/v1/awards/external_results?colour=red",
        400,
        "known: order, cursor, limit, revision, search, personal, series",
    ),
    ("GET", "/api/v1/awards/external_results?level=city", 400, "province, national"),
    ("GET", "/api/v1/awards/external_results?edition_no=x", 400, "A whole number"),
    ("GET", "/api/v1/awards/external_results?awarded_on=2011-02-30", 400, "A day like 2011-05-14"),
    ("GET", "/api/v1/awards/external_results?awarded_on=20110520", 400, "A day like 2011-05-14"),
    ("GET", "/api/v1/awards/external_results?limit=x", 400, "1 to 1000"),
    ("GET", "/api/v1/awards/external_results?cursor=x", 400, "cursor"),
    ("GET", "/api/v1/awards/external_results?order=x", 400, "order"),
    ("GET", "/api/v1/awards/external_results/r-1?x=1", 400, "Unknown parameter"),
]


def test_what_a_service_does_not_have_is_named_with_what_it_has(gateway):
    for method, path, status, says in NOT_KNOWN:
        response = gateway.ask(method, path)

        assert (response.status, response.headers["Content-Type"]) == (status, "application/problem+json"), path
        assert says in response.body["en"], path


def test_a_body_that_is_no_json_object_is_refused(gateway):
    for body in (b"{", b"[1]", b"\xff", b'{"a": NaN}', b'{"a": 1e999}', b"[" * 2_000):
        response = gateway.post(REPORT, body)

        assert (response.status, response.body["errors"][0]["field"]) == (400, "body"), body


def test_a_body_of_20_mb_is_refused_and_disturbs_nobody(gateway):
    response = gateway.post(REPORT, b" " * 20_000_000)

    assert (response.status, response.body["code"]) == (413, "too_large")
    assert gateway.post(REPORT, RESULT).status == 200


def test_a_client_that_sends_all_before_it_reads_gets_its_answer_too(gateway):
    for path, status in ((REPORT, 413), ("/api/v1/nothing", 404)):
        sent = urllib.request.Request(
            f"http://127.0.0.1:{gateway.extension(Server).port}{path}",
            data=b" " * 20_000_000,
            headers={"Authorization": f"Bearer {gateway.running.token()}"},
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(sent, timeout=20)

        assert (refused.value.code, refused.value.headers["Content-Type"]) == (status, "application/problem+json")
        refused.value.close()


def test_a_body_in_chunks_is_read_whole_and_is_limited_too(gateway):
    token = gateway.running.token()

    def sent(*chunks):
        connection = gateway.connect()
        connection.request(
            "POST", REPORT, iter(chunks), {"Authorization": f"Bearer {token}"}, encode_chunked=True
        )  # fmt: skip
        return connection.getresponse().status

    assert sent(b"{", b"}") == 400  # understood, and every field is missing
    assert sent(*[b" " * 500_000] * 3) == 413


def test_a_callers_own_token_stays_at_the_gateway_and_the_one_that_travels_is_for_that_service_alone(gateway):
    settings, own = gateway.running.settings, gateway.running.token("u-op", ("operator", "viewer"))
    with connect(settings, "tests.overhear") as connection:
        channel = connection.default_channel
        queue = channel.queue_declare("", exclusive=True).queue
        channel.queue_bind(queue, exchange=RPC_EXCHANGE, routing_key="awards.#")

        asked = ("/api/v1/awards/external_results", "/api/v1/operations/status", "/api/v1/operations/parked")
        assert {gateway.get(path, token=own).status for path in asked} == {200}
        requests = iter(partial(channel.basic_get, queue, no_ack=True), None)
        sent = {message.headers["nameko.token"] for message in requests if "nameko.token" in message.headers}

    assert sent
    assert own not in sent
    for token in sent:
        assert Tokens(settings.token_public_key, audience="awards").read(token).expires < time.time() + 301
        with pytest.raises(NotAuthenticated, match="another service"):
            Tokens(settings.token_public_key, audience="rural").read(token)


def test_a_service_that_never_ran_is_unavailable_and_the_others_are_not(gateway):
    response = gateway.get("/api/v1/members/organisations")

    assert (response.status, response.headers["Retry-After"]) == (503, "1")
    assert gateway.get("/api/v1/awards/external_results").status == 200


# --- what staff wrote -------------------------------------------------------------------------------------------------

STAFF = {"roles": ["recorder"]}
RESULTS = "/api/v1/awards/external_results"


@pytest.fixture
def titled(gateway):
    for number, title in enumerate(["太阳能小车", "风力小车", "水质检测仪"]):
        assert gateway.post(REPORT, RESULT | {"result_id": f"r-{number}", "title": title}).status == 200
    return gateway


def test_staff_list_search_and_sort_by_what_they_wrote(titled):
    def ids(parameters):
        return [record["id"] for record in titled.get(f"{RESULTS}?{parameters}", **STAFF).body["items"]]

    assert titled.get(RESULTS, **STAFF).body["items"][0]["title"] == "太阳能小车"
    assert ids("title=%E9%A3%8E%E5%8A%9B%E5%B0%8F%E8%BD%A6") == ["r-1"]
    assert ids("search=%E5%B0%8F%E8%BD%A6") == ["r-0", "r-1"]
    assert ids("order=title") == ["r-0", "r-2", "r-1"]  # 太, 水, 风: by their code points
    assert "太阳能小车" in titled.get(f"{RESULTS}.csv", **STAFF).content.decode()


def test_viewers_and_outside_systems_get_the_view_and_no_filter_beside_it(titled):
    for roles in (["viewer"], ["system"]):
        assert "title" not in titled.get(f"{RESULTS}/r-0", roles=roles).body
        assert titled.get(f"{RESULTS}?search=%E5%B0%8F%E8%BD%A6", roles=roles).body["total"] == 0
        refused = titled.get(f"{RESULTS}?title=x", roles=roles)
        assert (refused.status, refused.body["errors"][0]["field"]) == (400, "filter.title")
        assert "太阳能小车" not in titled.get(f"{RESULTS}.csv", roles=roles).content.decode()


def test_each_class_of_readers_has_a_tag_of_its_own_and_each_tag_is_a_version(titled):
    path = f"{RESULTS}/r-0"
    tags = {
        who: titled.get(f"{path}{asked}", roles=[who]).headers["ETag"]
        for who, asked in (("viewer", ""), ("recorder", ""), ("verifier", "?personal=true"))
    }

    assert tags["viewer"] == '"1"'
    assert len(set(tags.values())) == 3
    assert titled.get(path, roles=["recorder"], headers={"If-None-Match": tags["viewer"]}).status == 200
    assert titled.get(path, roles=["recorder"], headers={"If-None-Match": tags["recorder"]}).status == 304
    who = {"by": "u-wang", "roles": ["verifier"]}
    verified = titled.post(VERIFY, {"result_id": "r-0"}, headers={"If-Match": tags["verifier"]}, **who)
    assert verified.body["version"] == 2
    again = titled.post(VERIFY, {"result_id": "r-0"}, headers={"If-Match": tags["recorder"]}, **who)
    assert (again.status, again.body["code"]) == (409, "conflict")


def test_a_history_shows_staff_what_an_office_field_was_before(titled):
    titled.post(VERIFY, {"result_id": "r-0"}, by="u-wang", roles=["verifier"])

    first, second = titled.get(f"{RESULTS}/r-0/history", **STAFF).body["versions"]
    assert ("before" in first, second["before"]) == (False, {"verified_by": None})
    assert "before" not in str(titled.get("/api/v1/records/awards/external_result/r-0/history").body)
