"""People: they log in with a password, act under a session that ends, and may do what an operator let them do."""

from dataclasses import replace
from datetime import timedelta

import eventlet
import jsonschema
import pytest
from structlog.testing import capture_logs

from gateway.identity import api_tokens, audit_trail, authentication, known_devices, passwords, sessions, users
from gateway.identity.accounts import AccountsProvider
from gateway.identity.login_throttle import FAILURES
from gateway.identity.sessions import Sessions
from gateway.service import Gateway
from services.awards.service import Awards
from services.chassis.rate_limiter import BURST
from tests.gateway.conftest import Http
from tests.gateway.people import OPERATOR, PASSWORD, Person, add_user, try_login
from tests.gateway.upstream.test_proxy import REPORT, RESULT
from tests.stack import until

OTHER = "battery staple 正确"


class At(Http):
    """One of several gateways."""

    def __init__(self, running, container):
        self.running, self.container = running, container


@pytest.fixture
def both(running):
    """Two gateways of one association."""
    running.start(Gateway, Gateway)
    return [At(running, container) for container in running.containers]


def test_a_person_logs_in_asks_and_logs_out(gateway):
    id_ = add_user(gateway, "wang", roles=("viewer",), district="511102")
    wang = Person(gateway, "wang")

    me = wang.get("/api/v1/me").body
    assert me == wang.answered.body
    assert me | {"csrf_token": "", "ends_at": ""} == {
        "id": id_, "login": "wang", "roles": ["viewer"], "district": "511102", "csrf_token": "", "ends_at": "",
    }  # fmt: skip
    assert wang.get("/api/v1/kpis/K1").status == 200
    assert (wang.cookie["httponly"], wang.cookie["samesite"], wang.cookie["path"]) == (True, "Lax", "/")
    assert (wang.cookie["secure"], wang.cookie["max-age"]) == ("", str(8 * 3_600))
    assert wang.answered.headers["Cache-Control"] == "no-store"

    ended = wang.post("/api/v1/logout")
    assert (ended.body, "Max-Age=0" in ended.headers["Set-Cookie"]) == ({"ended": True}, True)
    assert wang.get("/api/v1/me").status == 401


def test_whoever_has_a_token_is_told_who_that_is_and_has_no_session_to_end(gateway):
    me = gateway.get("/api/v1/me", by="u-li", roles=("viewer",)).body

    assert me == {
        "id": "u-li", "login": None, "roles": ["viewer"], "district": None, "csrf_token": None, "ends_at": None,
    }  # fmt: skip
    assert gateway.post("/api/v1/logout").body == {"ended": False}


def test_behind_tls_the_cookie_is_secure_and_the_caller_is_whom_the_proxy_names(running, settings):
    running.settings = replace(settings, http_behind_tls=True)
    gateway = Http(running.start(Gateway))
    add_user(gateway, "wang")

    wang = Person(gateway, "wang")
    assert (wang.cookie.key, wang.cookie["secure"], wang.cookie["path"]) == ("__Host-kexie_session", True, "/")
    assert wang.cookie["domain"] == ""
    assert wang.get("/api/v1/me").status == 200
    assert wang.get("/api/v1/me").headers["Strict-Transport-Security"] == "max-age=31536000"
    assert gateway.get("/api/v1/me", token="", headers={"Cookie": f"kexie_session={wang.cookie.value}"}).status == 401
    throttle = gateway.extension(AccountsProvider)._throttle
    for number in range(FAILURES["address"] - 1):
        throttle.begin(pair=f"nobody-{number} 10.1.1.1", address="10.1.1.1", login=f"nobody-{number}")
    last, refused = (try_login(gateway, "nobody", **{"X-Forwarded-For": f"10.0.0.{n}, 10.1.1.1"}) for n in range(2))
    assert (last.status, refused.status) == (401, 429)
    assert try_login(gateway, "nobody", **{"X-Forwarded-For": "10.1.1.1, 10.1.1.2"}).status == 401


def device_of(person):
    """The cookie by which this person's browser is known."""
    (cookie,) = [one for one in person.answered.headers.get_all("Set-Cookie") if one.startswith("kexie_device=")]
    return cookie


def lock(gateway, login):
    throttle = gateway.extension(AccountsProvider)._throttle
    for number in range(FAILURES["login"]):
        throttle.begin(pair=f"{login} 10.0.0.{number}", address=f"10.0.0.{number}", login=login)
    for number in range(FAILURES["pair"]):
        throttle.begin(pair=f"{login} 127.0.0.1", address=f"10.0.1.{number}")


def test_a_browser_that_logged_in_before_passes_the_lock_of_its_login_and_no_other(gateway):
    add_user(gateway, "li")
    add_user(gateway, "wang")
    wang = Person(gateway, "wang")
    said, _, rest = device_of(wang).partition(";")
    device = said.partition("=")[2]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in rest.split(";")}
    lock(gateway, "wang"), lock(gateway, "li")

    def status(login, cookie, password=PASSWORD):
        return try_login(gateway, login, password, Cookie=f"kexie_device={cookie}").status

    forged = [device[:-1] + ("0" if device[-1] != "0" else "1"), device.replace(".", ".9", 1), "", "x.1.y"]
    assert [status("wang", cookie) for cookie in forged] == [429] * 4
    assert status("li", device) == 429
    assert status("nobody", device) == 401
    assert status("wang", device) == 200
    assert [status("wang", device, OTHER) for _ in range(FAILURES["device"] + 1)] == [401] * 5 + [429]

    gateway.running.clock.ahead += timedelta(minutes=2)
    lock(gateway, "wang")
    assert status("wang", device) == 200
    assert gateway.post(f"/api/v1/users/{wang.id}/password", {"password": OTHER}, **OPERATOR).status == 200
    assert status("wang", device, OTHER) == 429


def test_a_known_device_is_forgotten_after_half_a_year(gateway):
    add_user(gateway, "wang")
    device = device_of(Person(gateway, "wang")).partition(";")[0]

    gateway.running.clock.ahead += known_devices.LASTS + timedelta(seconds=1)
    lock(gateway, "wang")

    assert try_login(gateway, "wang", Cookie=device).status == 429


def test_credentials_that_were_never_right_count_for_their_address_before_they_are_looked_up(gateway, monkeypatch):
    add_user(gateway, "wang")
    wang = Person(gateway, "wang")
    assert wang.get("/api/v1/me").status == 200

    def bogus(number):
        sent = {"Cookie": f"kexie_session={number}"} if number % 2 else {"Authorization": f"Bearer {number}"}
        return gateway.get("/api/v1/me", token="", headers=sent)

    limiter = gateway.extension(authentication.Authentication)._new_credentials._limiter
    limiter.rate = 2.0

    answers = [bogus(number) for number in range(int(5 * BURST * limiter.rate))]

    refused = [answered for answered in answers if answered.status != 401]
    assert {answered.body["code"] for answered in refused} == {"too_many_requests"}
    assert all(int(answered.headers["Retry-After"]) >= 1 for answered in refused)
    looked_up, real = [], Sessions.find
    monkeypatch.setattr(Sessions, "find", lambda *asked: looked_up.append(1) or real(*asked))
    limiter.rate = 0.001
    assert (bogus(1).status, looked_up) == (429, [])
    assert (wang.get("/api/v1/me").status, looked_up) == (200, [1])
    assert gateway.get("/api/v1/me", token="").status == 401
    assert gateway.get("/api/v1/plans/2011/progress", token="", headers={"Cookie": "kexie_session=x"}).status == 200


def test_a_write_with_a_session_needs_the_token_that_only_our_own_pages_can_read(gateway):
    add_user(gateway, "wang", roles=("operator",))
    wang, li = Person(gateway, "wang"), Person(gateway, "wang")

    for csrf in ("", "x", "é", li.csrf_token, wang.cookie.value):
        refused = wang.post("/api/v1/logout", csrf=csrf)
        assert (refused.status, refused.body["code"]) == (403, "csrf_token_missing"), csrf
    assert wang.get("/api/v1/me").status == 200
    assert wang.post("/api/v1/logout").status == 200


def test_a_login_has_to_be_sent_as_json_so_that_no_form_of_another_site_can(gateway):
    add_user(gateway, "wang")

    for sort in ("text/plain", "application/x-www-form-urlencoded"):
        refused = try_login(gateway, "wang", **{"Content-Type": sort})
        assert (refused.status, refused.body["errors"][0]["field"]) == (400, "Content-Type"), sort


def test_a_wrong_login_is_refused_in_the_same_words_after_the_same_work(gateway, monkeypatch):
    worked = []
    beside = passwords.tpool.execute
    monkeypatch.setattr(passwords.tpool, "execute", lambda *given: worked.append(given[0].__name__) or beside(*given))
    add_user(gateway, "wang")
    id_ = add_user(gateway, "gone")
    gateway.post(f"/api/v1/users/{id_}/disable", **OPERATOR)
    worked.clear()

    refused = [try_login(gateway, "nobody"), try_login(gateway, "wang", OTHER), try_login(gateway, "gone")]

    assert {(refusal.status, refusal.body["code"], refusal.body["en"]) for refusal in refused} == {
        (401, "wrong_login", "Login or password is wrong.")
    }
    assert worked == ["verify"] * 3
    assert try_login(gateway, "WANG").status == 200


def test_five_failures_in_a_minute_shut_a_login_for_their_address_at_every_gateway_until_it_is_over(both):
    first, second = both
    add_user(first, "wang")
    for gateway in (first, second, first, second, first):
        assert try_login(gateway, "wang", OTHER).status == 401

    refused = try_login(second, "wang")
    assert (refused.status, refused.body["code"]) == (429, "too_many_requests")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert try_login(second, "li").status == 401  # nobody else at that address is shut out

    first.running.clock.ahead = timedelta(seconds=61)
    assert try_login(second, "wang").status == 200


def test_whoever_guesses_from_everywhere_is_stopped_too(gateway):
    throttle = gateway.extension(AccountsProvider)._throttle
    for number in range(FAILURES["login"]):
        throttle.begin(pair=f"wang 10.0.0.{number}", address=f"10.0.0.{number}", login="wang")

    assert try_login(gateway, "wang").status == 429


def test_of_many_guesses_at_once_only_five_are_tried(gateway):
    add_user(gateway, "wang")

    answers = [eventlet.spawn(try_login, gateway, "wang", f"{OTHER} {number}") for number in range(15)]

    assert sorted(answer.wait().status for answer in answers) == [401] * 5 + [429] * 10


def test_whoever_knows_the_password_may_log_in_as_often_as_needed(gateway):
    add_user(gateway, "wang")

    assert {try_login(gateway, "wang").status for _ in range(7)} == {200}


def test_a_session_ends_after_eight_hours(gateway):
    add_user(gateway, "wang")
    wang = Person(gateway, "wang")

    gateway.running.clock.ahead = timedelta(hours=8, seconds=-5)
    assert wang.get("/api/v1/me").status == 200
    gateway.running.clock.ahead = timedelta(hours=8)
    assert wang.get("/api/v1/me").status == 401


def test_another_password_ends_the_sessions_that_began_with_the_old_one(gateway):
    id_ = add_user(gateway, "wang")
    here, there = Person(gateway, "wang"), Person(gateway, "wang")
    address = f"/api/v1/users/{id_}/password"

    for old in (None, "not the old one"):
        refused = here.post(address, {"password": OTHER, "old_password": old})
        assert (refused.status, refused.body["errors"][0]["field"]) == (400, "old_password"), old
    assert here.post(address, {"password": OTHER, "old_password": PASSWORD}).status == 200

    assert (here.get("/api/v1/me").status, there.get("/api/v1/me").status) == (200, 401)
    assert (try_login(gateway, "wang").status, try_login(gateway, "wang", OTHER).status) == (401, 200)
    assert gateway.post(address, {"password": PASSWORD}, **OPERATOR).status == 200
    assert here.get("/api/v1/me").status == 401


def test_a_login_during_which_the_password_changes_begins_no_session(gateway, monkeypatch):
    id_ = add_user(gateway, "wang")
    begin = Sessions.begin

    def begin_late(sessions, user_id):
        monkeypatch.setattr(Sessions, "begin", begin)
        assert gateway.post(f"/api/v1/users/{id_}/password", {"password": OTHER}, **OPERATOR).status == 200
        return begin(sessions, user_id)

    monkeypatch.setattr(Sessions, "begin", begin_late)

    assert try_login(gateway, "wang").status == 401
    assert gateway.running.database("gateway")["sessions"].count_documents({}) == 0


def test_nobody_but_an_operator_changes_the_password_of_another(gateway):
    id_ = add_user(gateway, "wang")
    add_user(gateway, "li", roles=("chair", "verifier"))

    refused = Person(gateway, "li").post(f"/api/v1/users/{id_}/password", {"password": OTHER, "old_password": PASSWORD})

    assert refused.status == 403


def test_what_is_wrong_with_a_new_user_is_named(gateway):
    add_user(gateway, "taken", password="z7 Q,0 vm!")  # of the shortest length
    for field, value in (
        ("password", "nine char"),
        ("password", "x" * 201),
        ("password", " " * 12),
        ("login", "Wang"),
        ("login", "王"),
        ("login", "x" * 51),
        ("login", "taken"),
        ("roles", []),
        ("roles", ["king"]),
        ("district", "510000"),
        ("hash", "x"),
    ):
        params = {"login": "wang", "password": PASSWORD, "roles": ["viewer"], field: value}
        refused = gateway.post("/api/v1/users", params, **OPERATOR)
        assert (refused.status, [error["field"] for error in refused.body["errors"]]) == (400, [field]), value
        assert PASSWORD not in refused.content.decode()


def test_a_password_is_not_the_login(gateway):
    params = {"login": "wang.yi-2011", "password": "Wang.Yi-2011", "roles": ["viewer"]}

    assert gateway.post("/api/v1/users", params, **OPERATOR).body["errors"][0]["field"] == "password"


@pytest.mark.parametrize(
    "password",
    [
        "password123",
        "１２３４５６７８９０",
        "QWERTYUIOP",
        "!!iloveyou2011",
        "aaaaaaaaaaaa",
        "abcabcabcabc",
        "Password1!!",
    ],
)
def test_a_common_password_is_refused_wherever_one_is_set(gateway, password):
    id_ = add_user(gateway, "wang")
    wang = Person(gateway, "wang")

    refused = [
        gateway.post("/api/v1/users", {"login": "li", "password": password, "roles": ["viewer"]}, **OPERATOR),
        gateway.post(f"/api/v1/users/{id_}/password", {"password": password}, **OPERATOR),
        wang.post(f"/api/v1/users/{id_}/password", {"password": password, "old_password": PASSWORD}),
    ]

    for answered in refused:
        (error,) = answered.body["errors"]
        assert (answered.status, error["field"], error["en"]) == (400, "password", "Too common: easy to guess.")
    assert try_login(gateway, "wang").status == 200


def test_a_password_that_is_no_list_s_is_taken():
    assert not any(map(passwords.is_common, (PASSWORD, OTHER, "z7 Q,0 vm!", "2011年科普之春开幕")))


def test_users_are_listed_by_login_page_by_page_and_never_with_a_hash(gateway):
    for login in ("wang", "chen", "li"):
        add_user(gateway, login)

    first = gateway.get("/api/v1/users?limit=2", **OPERATOR)
    second = gateway.get(f"/api/v1/users?limit=2&cursor={first.body['cursor']}", **OPERATOR)

    assert [user["login"] for user in first.body["items"]] == ["chen", "li"]
    assert ([user["login"] for user in second.body["items"]], second.body["cursor"]) == (["wang"], None)
    assert set(first.body["items"][0]) == {
        "id", "login", "roles", "district", "state", "created_at", "created_by", "changed_at", "changed_by",
    }  # fmt: skip
    assert b"argon2" not in first.content


def test_whoever_is_disabled_is_out_at_once_and_comes_back_with_the_same_password(gateway):
    id_ = add_user(gateway, "wang")
    wang = Person(gateway, "wang")
    token = gateway.post("/api/v1/tokens", {"subject": id_, "roles": ["recorder"]}, **OPERATOR).body["token"]

    disabled = gateway.post(f"/api/v1/users/{id_}/disable", **OPERATOR).body
    assert (disabled["state"], disabled["changed_by"]) == ("disabled", "u-op")
    assert (wang.get("/api/v1/me").status, gateway.get("/api/v1/me", token=token).status) == (401, 401)
    assert try_login(gateway, "wang").status == 401

    assert gateway.post(f"/api/v1/users/{id_}/enable", **OPERATOR).body["state"] == "active"
    assert wang.get("/api/v1/me").status == 401
    assert try_login(gateway, "wang").status == 200
    assert gateway.post("/api/v1/users/u-0/disable", **OPERATOR).status == 404


def test_other_roles_hold_from_the_next_request_on(gateway):
    id_ = add_user(gateway, "wang", roles=("viewer",))
    wang = Person(gateway, "wang")
    assert wang.get("/api/v1/users").status == 403

    placed = gateway.post(f"/api/v1/users/{id_}/roles", {"roles": ["operator", "viewer"]}, **OPERATOR).body

    assert placed["roles"] == ["viewer", "operator"]
    assert wang.get("/api/v1/users").status == 200


def test_only_operators_of_the_whole_municipality_say_who_may_what(gateway):
    add_user(gateway, "county", roles=("operator",), district="511102")
    county = Person(gateway, "county")

    who = {"roles": ["chair"]}
    for method, path, params in (
        ("GET", "users", None),
        ("POST", "users", {"login": "me", "password": PASSWORD, **who}),
        ("POST", "users/u-1/disable", {}),
        ("POST", "users/u-1/enable", {}),
        ("POST", "users/u-1/roles", who),
        ("POST", "users/u-1/password", {"password": PASSWORD}),
        ("GET", "tokens", None),
        ("POST", "tokens", {"subject": "u-1", **who}),
        ("POST", "tokens/t-1/revoke", {"reason": "x"}),
    ):
        address = f"/api/v1/{path}"
        asked = county.get(address) if params is None else county.post(address, params)
        by_others = gateway.ask(method, address, body=params, roles=("chair", "finance"))
        assert (asked.status, by_others.status) == (403, 403), path


def test_what_concerns_the_municipality_is_for_nobody_who_is_bound_to_a_district(gateway):
    add_user(gateway, "county", roles=("chair", "operator"), district="511102")
    county = Person(gateway, "county")

    for path in ("plans/2011/targets/K2", "plans/2011/periods/2011S1/close", "plans", "operations/rebuild"):
        assert county.post(f"/api/v1/{path}", {"why": "x"}).status == 403, path
    for path in ("audit", "operations/status", "operations/parked", "alerts/deliveries"):
        assert county.get(f"/api/v1/{path}").status == 403, path


def test_a_person_acts_at_the_services_as_the_user_within_the_district(gateway):
    gateway.running.start(Awards)
    id_ = add_user(gateway, "wang", roles=("recorder",), district="511102")
    wang = Person(gateway, "wang")

    elsewhere = wang.post(REPORT, RESULT | {"district": "511111"})
    here = wang.post(REPORT, RESULT | {"district": "511102"})
    verified = wang.post("/api/v1/awards/verify_external_result", {"result_id": "r-1"})

    assert (elsewhere.status, elsewhere.body["code"]) == (403, "not_allowed")
    assert here.status == 200
    assert verified.status == 403
    result = gateway.running.database("awards")["external_result"].find_one({"_id": "r-1"})
    assert [entry["by"] for entry in result["history"]] == [id_]


def test_what_is_answered_has_the_declared_shape(gateway):
    id_ = add_user(gateway, "wang", roles=("operator",), district=None)
    wang = Person(gateway, "wang")
    issued_token = wang.post("/api/v1/tokens", {"subject": "bureau", "roles": ["system"]}).body

    for shape, body in (
        (sessions.ME, wang.answered.body),
        (sessions.ME, wang.get("/api/v1/me").body),
        (users.USERS, wang.get("/api/v1/users").body),
        (users.USER, wang.post(f"/api/v1/users/{id_}/enable").body),
        (api_tokens.ISSUED, issued_token),
        (api_tokens.TOKENS, wang.get("/api/v1/tokens").body),
        (api_tokens.TOKEN, wang.post(f"/api/v1/tokens/{issued_token['id']}/revoke", {"reason": "x"}).body),
        (audit_trail.ENTRIES, until(lambda: (page := wang.get("/api/v1/audit").body)["items"] and page)),
        (sessions.LOGGED_OUT, wang.post("/api/v1/logout").body),
    ):
        jsonschema.validate(body, shape)


def test_no_secret_is_stored_or_logged(gateway):
    with capture_logs() as logged:
        add_user(gateway, "wang", roles=("operator",))
        wang = Person(gateway, "wang")
        try_login(gateway, PASSWORD, OTHER)  # typed where the login belongs
        token = wang.post("/api/v1/tokens", {"subject": "bureau", "roles": ["system"]}).body["token"]
        gateway.running.settle()

    database = gateway.running.database("gateway")
    stored = str([list(database[name].find()) for name in database.list_collection_names()])
    for secret in (PASSWORD, OTHER, wang.cookie.value, wang.csrf_token, token, token.rpartition(".")[2]):
        assert secret not in stored
        assert secret not in str(logged)
    assert "$argon2id$" in stored
    assert "argon2" not in str(logged)


def test_users_and_sessions_are_stored_as_every_earlier_version_stored_them(gateway):
    id_ = add_user(gateway, "wang", roles=("recorder", "viewer"), district="511102")
    Person(gateway, "wang")

    stored = gateway.running.database("gateway")
    user, session = stored["users"].find_one({"_id": id_}), stored["sessions"].find_one()
    assert user == user | {
        "login": "wang", "roles": ["viewer", "recorder"], "district": "511102", "state": "active",
        "created_by": "u-op", "changed_by": "u-op", "changed_at": user["created_at"],
    }  # fmt: skip
    assert user["hash"].startswith("$argon2id$")
    assert user["created_at"].endswith("+08:00")
    assert users.write_user(users.read_user(user)) == user
    assert session == {"_id": session["_id"], "user_id": id_, "ends_at": session["ends_at"]}
    assert user["hash"] not in repr(users.read_user(user))
