"""What the operators' commands about users and tokens ask the gateway, and what they print."""

import pytest

from deploy.cli.client import Gateway
from deploy.secrets.keys import as_setting, new_private_key

WANG = {
    "id": "u-1", "login": "wang", "roles": ["viewer", "recorder"], "district": "511102", "state": "active",
    "created_at": "2011-05-14T10:00:00.000+08:00", "created_by": "operator",
    "changed_at": "2011-05-14T10:00:00.000+08:00", "changed_by": "operator",
}  # fmt: skip
TOKEN = {
    "id": "t-1", "version": 1, "subject_id": "bureau", "roles": ["system"], "district": None,
    "expires_on": "2011-06-13", "state": "active",
}  # fmt: skip
USERS, TOKENS = "/api/v1/users", "/api/v1/tokens"


@pytest.fixture
def operator(operator):
    operator.told_by_gateway(f"GET {USERS}", (200, {"items": [WANG], "cursor": None}))
    operator.told_by_gateway(f"GET {TOKENS}", (200, {"items": [TOKEN], "total": 1, "cursor": None}))
    return operator


def test_a_user_is_added_with_a_password_that_nobody_sees(operator):
    operator.told_by_gateway(f"POST {USERS}", (201, WANG))

    done = operator.gives(
        *"user add wang --role viewer --role recorder --district 511102".split(), typed="correct horse\n"
    )

    assert done.stdout == "u-1 may log in as wang.\n"
    assert operator.server.asked == [
        (f"POST {USERS}",
         {"login": "wang", "password": "correct horse", "roles": ["viewer", "recorder"], "district": "511102"}),
    ]  # fmt: skip
    assert "horse" not in done.output


def test_users_are_listed_and_all_pages_of_them(operator):
    operator.told_by_gateway(
        f"GET {USERS}",
        (200, {"items": [WANG], "cursor": "wang"}),
        (200, {"items": [WANG | {"login": "zhang", "state": "disabled"}], "cursor": None}),
    )

    lines = operator.gives("user", "list").stdout.splitlines()

    assert [line.split()[1] for line in lines] == ["login", "wang", "zhang"]
    assert lines[1].split()[2:6] == ["viewer,", "recorder", "511102", "active"]
    assert operator.server.asked[1][0] == f"GET {USERS}?cursor=wang&limit=500"


@pytest.mark.parametrize(
    ("command", "asked", "body", "says"),
    [
        ("user disable wang", "disable", {}, "wang is disabled."),
        ("user enable wang", "enable", {}, "wang is disabled."),
        ("user roles wang --role chair", "roles", {"roles": ["chair"]}, "wang: viewer, recorder."),
        ("user password wang", "password", {"password": "battery staple"}, "wang has another password."),
    ],
)
def test_a_user_is_called_by_the_login(operator, command, asked, body, says):
    operator.told_by_gateway(f"POST {USERS}/u-1/{asked}", (200, WANG | {"state": "disabled"}))

    done = operator.gives(*command.split(), typed="battery staple\n")

    assert done.stdout == f"{says}\n"
    assert operator.server.asked[-1] == (f"POST {USERS}/u-1/{asked}", body)


def test_a_login_that_nobody_has_is_told(operator):
    done = operator.gives("user", "disable", "li")

    assert (done.exit_code, done.stderr) == (1, "Error: Nobody logs in as li; `./kexie user list` shows who does.\n")


def test_a_token_is_printed_alone_so_that_a_script_can_take_it(operator):
    operator.told_by_gateway(f"POST {TOKENS}", (201, TOKEN | {"token": "a.b.c"}))

    done = operator.gives(*"token issue --subject bureau --role system --days 7".split())

    assert done.stdout == "a.b.c\n"
    assert done.stderr == "id t-1, valid until the end of 2011-06-13\n"
    assert operator.server.asked == [(f"POST {TOKENS}", {"subject": "bureau", "roles": ["system"], "days": 7})]


def test_tokens_are_listed_and_revoked_by_their_id(operator):
    operator.told_by_gateway(f"POST {TOKENS}/t-1/revoke", (200, TOKEN | {"state": "revoked"}))

    listed = operator.gives("token", "list", "--subject", "bureau")
    revoked = operator.gives("token", "revoke", "t-1", "--why", "lost")

    assert listed.stdout.splitlines()[1].split() == ["t-1", "bureau", "system", "2011-06-13", "active"]
    assert operator.server.asked[0][0] == f"GET {TOKENS}?subject=bureau&state=active&limit=500"
    assert operator.server.asked[1] == (f"POST {TOKENS}/t-1/revoke", {"reason": "lost"})
    assert revoked.stdout == "t-1 of bureau is revoked.\n"


def test_whoever_has_the_gateways_key_needs_no_token(monkeypatch, tmp_path):
    monkeypatch.setenv("GATEWAY_URL", "http://gateway")
    monkeypatch.setenv("KEXIE_HOME", str(tmp_path))
    monkeypatch.delenv("KEXIE_TOKEN", raising=False)
    monkeypatch.setenv("TOKEN_PRIVATE_KEY", as_setting(new_private_key()))

    assert Gateway.of_the_environment().token.count(".") == 2
