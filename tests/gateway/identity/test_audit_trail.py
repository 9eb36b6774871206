"""The audit trail: who sent which write, and how they were identified."""

from datetime import timedelta

from services.awards.service import Awards
from tests.gateway.people import OPERATOR, PASSWORD, Person, add_user, try_login
from tests.gateway.upstream.test_proxy import REPORT, RESULT
from tests.stack import until

AUDIT = "/api/v1/audit"


def trail(gateway, entries=None, asked=""):
    """What it holds, the newest first, once there are so many."""
    page = until(
        lambda: (
            (items := gateway.get(f"{AUDIT}?{asked}", **OPERATOR).body["items"])
            and (entries is None or len(items) >= entries)
            and items
        )
    )
    assert entries is None or len(page) == entries
    return page


def test_every_write_is_noted_with_who_asked_how_they_were_known_and_what_became_of_it(gateway):
    gateway.running.start(Awards)
    id_ = add_user(gateway, "wang", roles=("recorder",), district="511102")
    wang = Person(gateway, "wang")
    wang.post(REPORT, RESULT | {"district": "511102"}, **{"Idempotency-Key": "k-1"})
    wang.post(REPORT, RESULT | {"district": "511102", "command_id": "k-2"})
    wang.post("/api/v1/logout", csrf="forged")
    gateway.post("/api/v1/operations/audit", {}, roles=("viewer",))
    gateway.get("/api/v1/kpis/K1")

    entries = [
        (entry["who"], entry["identified_by"], entry["method"], entry["address"], entry["status"], entry["command_id"])
        for entry in reversed(trail(gateway, 6))
    ]

    assert entries == [
        ("u-op", "token", "POST", "/api/v1/users", 201, None),
        (id_, "login", "POST", "/api/v1/login", 200, None),
        (id_, "session", "POST", REPORT, 200, "k-1"),
        (id_, "session", "POST", REPORT, 409, "k-2"),
        (id_, "session", "POST", "/api/v1/logout", 403, None),
        ("u-li", "token", "POST", "/api/v1/operations/audit", 403, None),
    ]


def test_an_entry_says_which_token_it_was_and_nothing_of_what_was_sent(gateway):
    token = gateway.post("/api/v1/tokens", {"subject": "bureau", "roles": ["operator"]}, **OPERATOR).body
    params = {"login": "wang", "password": PASSWORD, "roles": ["viewer"]}
    gateway.post("/api/v1/users", params, token=token["token"])

    newest, first = trail(gateway, 2)

    assert (newest["who"], newest["token_id"]) == ("bureau", token["id"])
    assert newest["sent_from"] == "127.0.0.1"
    assert first["command_id"]
    stored = str(list(gateway.running.database("gateway")["audit"].find()))
    assert not [secret for secret in (PASSWORD, token["token"], "wang") if secret in stored]


def test_who_reads_names_or_what_is_meant_for_few_is_noted_and_which_record_it_was(gateway):
    gateway.running.start(Awards)
    reads = {
        "/api/v1/awards/questions/read_objector?objection_id=o-1": ("verifier", 404),
        "/api/v1/awards/questions/read_objector?objection_id=o-2": ("recorder", 403),
        "/api/v1/awards/certificates/e-1.1.7.pdf": ("recorder", 404),
        "/api/v1/imports/i-1/file": ("recorder", 404),
        "/api/v1/users": ("operator", 200),
    }
    for address, (role, status) in reads.items():
        assert gateway.get(address, by="u-wu", roles=[role]).status == status, address
    gateway.get("/api/v1/users", token="")
    gateway.get("/api/v1/awards/external_results", by="u-wu")

    entries = [(entry["method"], entry["address"], entry["status"], entry["who"]) for entry in trail(gateway, 5)]

    assert entries == [("GET", address, status, "u-wu") for address, (_, status) in reversed(reads.items())]


def test_a_login_that_failed_is_noted_and_requests_of_nobody_are_not(gateway):
    try_login(gateway, "nobody")
    gateway.post("/api/v1/tokens", {}, token="")
    gateway.post("/api/v1/tokens", {}, token="x.y.z")
    add_user(gateway, "wang")

    _, failed = trail(gateway, 2)

    assert (failed["who"], failed["identified_by"], failed["status"]) == (None, "login", 401)


def test_the_trail_is_asked_by_actor_and_by_day_and_read_page_by_page(gateway):
    clock = gateway.running.clock
    today = clock.today()
    for login in ("a", "b", "c"):
        add_user(gateway, login)
        clock.ahead += timedelta(days=1)
    gateway.post("/api/v1/logout", by="u-li")

    addresses = [entry["who"] for entry in trail(gateway, 4)]
    assert addresses == ["u-li", "u-op", "u-op", "u-op"]
    assert len(trail(gateway, asked="actor=u-li")) == 1
    second = today + timedelta(days=1)
    assert len(trail(gateway, asked=f"since={second}&until={second}")) == 1
    assert len(trail(gateway, asked=f"since={second}")) == 3
    assert len(trail(gateway, asked=f"until={second}")) == 2

    first = gateway.get(f"{AUDIT}?limit=3", **OPERATOR).body
    rest = gateway.get(f"{AUDIT}?limit=3&cursor={first['cursor']}", **OPERATOR).body
    assert [entry["at"] for entry in first["items"] + rest["items"]] == [entry["at"] for entry in trail(gateway, 4)]
    assert rest["cursor"] is None


def test_what_is_asked_wrongly_is_named(gateway):
    for asked in ("since=May", "until=2011-02-30", "cursor=x", "limit=0", "who=u-li"):
        refused = gateway.get(f"{AUDIT}?{asked}", **OPERATOR)
        assert (refused.status, refused.body["errors"][0]["field"]) == (400, asked.partition("=")[0])


def test_the_trail_is_for_operators(gateway):
    assert gateway.get(AUDIT, roles=("chair", "finance", "system")).status == 403


def test_what_was_asked_last_is_noted_by_a_gateway_that_stops(gateway):
    add_user(gateway, "wang")

    gateway.running.stop("gateway")

    assert gateway.running.database("gateway")["audit"].count_documents({"address": "/api/v1/users"}) == 1


def test_entries_are_kept_for_five_years(gateway):
    indexes = gateway.running.database("gateway")["audit"].index_information()

    assert 1_826 <= indexes["at_1"]["expireAfterSeconds"] / 86_400 <= 1_828
