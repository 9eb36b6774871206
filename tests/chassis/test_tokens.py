"""Tokens: who calls, in which roles and for which district; verified with the public key alone."""

import re
import time
from datetime import timedelta

import jwt
import pytest

from services.chassis import tokens
from services.chassis.problem import NotAuthenticated
from services.chassis.tokens import ROLES, Actor, Tokens, issue
from tests.stack import key_pair

PRIVATE, PUBLIC = key_pair()
HOUR = timedelta(hours=1)


def a_token(subject="u-li", roles=("recorder",), **how):
    return issue(PRIVATE, subject=subject, roles=roles, **{"lifetime": HOUR, **how})


def test_a_token_tells_who_acts_in_which_roles_and_where():
    actor = Tokens(PUBLIC).verify(a_token(roles=["verifier", "recorder"], district="511102"))

    assert actor == Actor("u-li", frozenset({"recorder", "verifier"}), "511102")


def test_every_role_there_is_can_be_issued_and_no_other():
    assert Tokens(PUBLIC).verify(a_token(roles=ROLES)).roles == frozenset(ROLES)

    with pytest.raises(ValueError, match="unknown role emperor; known: viewer, recorder"):
        a_token(roles=["emperor"])


def test_a_token_is_for_a_district_that_exists():
    with pytest.raises(ValueError, match="unknown district 510000; known: 511102, 511111"):
        a_token(district="510000")


@pytest.mark.parametrize("district", ["510000", "", ["511102"], 511102])
def test_a_token_for_a_district_that_does_not_exist_is_refused_and_names_it(district):
    claims = {"sub": "u-li", "roles": ["recorder"], "district": district, "exp": time.time() + 60, "jti": "1"}
    token = jwt.encode(claims, PRIVATE, algorithm="EdDSA")

    with pytest.raises(NotAuthenticated, match=re.escape(f"unknown district {district}.")):
        Tokens(PUBLIC).verify(token)


def test_a_token_that_was_good_expires_even_when_it_is_remembered(monkeypatch):
    verifier, token = Tokens(PUBLIC), a_token()
    verifier.verify(token)

    now = tokens.time.time()
    monkeypatch.setattr(tokens.time, "time", lambda: now + 3_599)
    assert verifier.verify(token).id == "u-li"
    monkeypatch.setattr(tokens.time, "time", lambda: now + 3_601)
    with pytest.raises(NotAuthenticated, match="expired"):
        verifier.verify(token)


def test_a_token_of_another_key_is_refused():
    other_private, other_public = key_pair()
    token = issue(other_private, subject="u-li", roles=["chair"], lifetime=HOUR)

    assert Tokens(other_public).verify(token).id == "u-li"
    with pytest.raises(NotAuthenticated):
        Tokens(PUBLIC).verify(token)


@pytest.mark.parametrize("token", [None, "", 7, b"x", "a.b.c", "x" * 4_001, "令牌", "a.b", "..", {}])
def test_what_is_no_token_is_refused(token):
    with pytest.raises(NotAuthenticated):
        Tokens(PUBLIC).verify(token)


def test_only_so_many_tokens_are_remembered_and_a_bad_one_is_not(monkeypatch):
    monkeypatch.setattr(tokens, "CACHED", 3)
    verifier = Tokens(PUBLIC)
    for number in range(5):
        verifier.verify(a_token(f"u-{number}"))
        with pytest.raises(NotAuthenticated):
            verifier.verify(f"bad {number}")

    assert len(verifier._known) <= 3
    assert "bad" not in str(verifier._known)
