"""Tokens: who calls, in which roles and for which district; verified with the public key alone."""

import re
import time
from datetime import timedelta

import jwt
import pytest

from services.chassis import tokens
from services.chassis.problem import NotAuthenticated, Unavailable
from services.chassis.tokens import DELEGATED, ROLES, Actor, DelegatedTokens, Tokens, issue
from tests.stack import key_pair

PRIVATE, PUBLIC = key_pair()
HOUR = timedelta(hours=1)


def a_token(subject="u-li", roles=("recorder",), **how):
    return issue(PRIVATE, subject=subject, roles=roles, **{"lifetime": HOUR, **how})


def test_a_token_tells_who_acts_in_which_roles_and_where():
    actor = Tokens(PUBLIC).verify(a_token(roles=["verifier", "recorder"], district="511102"))

    assert actor == Actor("u-li", frozenset({"recorder", "verifier"}), "511102")


def test_a_token_for_one_service_is_good_for_no_other_and_one_that_names_none_for_all():
    for_awards = a_token(audience="awards")

    assert Tokens(PUBLIC, audience="awards").verify(for_awards).id == "u-li"
    for other in (Tokens(PUBLIC, audience="rural"), Tokens(PUBLIC)):
        with pytest.raises(NotAuthenticated, match="another service"):
            other.verify(for_awards)
        assert other.verify(a_token()).id == "u-li"


@pytest.mark.parametrize("audience", ["", None, ["awards"], {"awards": 1}, 7])
def test_a_token_whose_service_is_no_name_is_refused(audience):
    claims = {"sub": "u-li", "roles": ["recorder"], "exp": time.time() + 60, "jti": "1", "aud": audience}

    with pytest.raises(NotAuthenticated):
        Tokens(PUBLIC, audience="awards").verify(jwt.encode(claims, PRIVATE, algorithm="EdDSA"))


def test_the_gateway_acts_for_somebody_with_tokens_of_one_service_that_hold_for_minutes(monkeypatch):
    delegated, li = DelegatedTokens(PRIVATE), Actor("u-li", frozenset({"recorder"}), "511102")
    rural = Tokens(PUBLIC, audience="rural")
    first = delegated.token_for(li, "rural")

    verified = rural.read(first)
    assert verified.actor == li
    assert 0 < verified.expires - time.time() <= DELEGATED.total_seconds()
    others = [Actor("u-li", frozenset({"verifier"}), "511102"), Actor("u-li", li.roles), Actor("u-wang", li.roles)]
    signed = {delegated.token_for(li, "awards"), *(delegated.token_for(other, "rural") for other in others)}
    assert len(signed | {first}) == 2 + len(others)

    now, half = tokens.monotonic(), DELEGATED.total_seconds() / 2
    monkeypatch.setattr(tokens, "monotonic", lambda: now + half - 1)
    assert delegated.token_for(li, "rural") == first
    monkeypatch.setattr(tokens, "monotonic", lambda: now + half + 1)
    assert delegated.token_for(li, "rural") != first


def test_no_more_signed_tokens_are_kept_than_may_be(monkeypatch):
    monkeypatch.setattr(tokens, "CACHED", 2)
    delegated = DelegatedTokens(PRIVATE)

    for number in range(5):
        delegated.token_for(Actor(f"u-{number}"), "rural")

    assert len(delegated._signed) <= 2


def test_a_token_that_is_made_from_another_one_ends_with_it():
    own = Tokens(PUBLIC).read(a_token(lifetime=timedelta(seconds=100)))
    token = DelegatedTokens(PRIVATE).token_for(own.actor, "rural", own=own)

    read = Tokens(PUBLIC, audience="rural").read(token)

    assert (read.id, read.actor) == (own.id, own.actor)
    assert own.expires - 2 < read.expires <= own.expires
    with pytest.raises(NotAuthenticated, match="revoked"):
        Tokens(PUBLIC, {own.id}, audience="rural").read(token)


def test_without_a_key_the_gateway_acts_for_nobody():
    with pytest.raises(Unavailable, match="no key to act for you"):
        DelegatedTokens(None).token_for(Actor("u-li"), "rural")


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
