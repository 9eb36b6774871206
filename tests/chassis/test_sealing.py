"""Sealed values: whoever has no key reads nothing, and nothing sealed is moved to another record."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymongo import MongoClient

from services.chassis.run import containers
from services.chassis.seal import CANARIES, Seal, Unsealable, accept_any_key
from services.chassis.sealing import CheckedSeal, SealProvider, WrongKey
from services.chassis.settings import Settings, WrongSettings

SEAL = Seal(b"s" * 32)
WHO = {"name": "张三", "phone": "13800000000"}


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 9)))
def test_what_was_sealed_is_opened_again_for_its_record(value):
    assert SEAL.open(SEAL.seal(value, record="r-1"), dict[str, int], record="r-1") == value


def test_twice_the_same_gives_two_texts_and_neither_shows_it():
    one, other = (SEAL.seal(WHO, record="r-1") for _ in range(2))

    assert one != other
    assert not [text for text in (one, other) if "张三" in text or "13800000000" in text]


def test_another_record_another_key_or_a_changed_text_opens_nothing():
    sealed = SEAL.seal(WHO, record="r-1")
    altered = ("B" if sealed[20] == "A" else "A").join((sealed[:20], sealed[21:]))

    for seal, text, record in ((SEAL, sealed, "r-2"), (Seal(b"t" * 32), sealed, "r-1"), (SEAL, altered, "r-1")):
        with pytest.raises(Unsealable):
            seal.open(text, dict, record=record)


def test_a_service_that_seals_is_not_made_without_a_key():
    class Sealer:
        name = "sealer"
        sealing = SealProvider(of="thing", field="sealed")

    keyless = Settings(amqp_uri="amqp://", mongo_uri="mongodb://", token_public_key="")

    with pytest.raises(WrongSettings, match="SEALING_KEY: sealer needs it"):
        containers([Sealer], keyless)


# --- the canary -------------------------------------------------------------------------------------------------------


@pytest.fixture
def own(addresses):
    """A database with a sealed value of a record, as an earlier release left it: there is no canary."""
    with MongoClient(addresses[1]) as client:
        made = client[f"s{uuid.uuid4().hex[:10]}"]
        made["thing"].insert_one({"_id": "r-1", "state": {"sealed": SEAL.seal(WHO, record="r-1")}})
        yield made
        client.drop_database(made)


def checked(database, key=b"s" * 32):
    return CheckedSeal(Seal(key), database, of="thing", field="sealed")


def test_the_key_of_before_opens_and_another_neither_opens_nor_seals(own):
    assert checked(own).opens()
    assert checked(own).open(own["thing"].find_one()["state"]["sealed"], dict, record="r-1") == WHO

    other = checked(own, b"t" * 32)
    assert not other.opens()
    with pytest.raises(WrongKey, match="sealing key is another one"):
        other.seal(WHO, record="r-2")
    assert checked(own).opens()


def test_a_wrong_key_leaves_no_canary_where_only_a_record_tells_that_it_is_wrong(own):
    assert not checked(own, b"t" * 32).opens()

    assert own[CANARIES].find_one() is None


def test_the_canary_tells_where_no_record_is_sealed_any_more(own):
    assert checked(own).opens()
    own["thing"].delete_many({})

    assert not checked(own, b"t" * 32).opens()
    assert checked(own).opens()


def test_a_key_that_the_operator_accepted_in_place_of_a_lost_one_is_right_from_then_on(own):
    assert checked(own).opens()
    accept_any_key(own)

    assert checked(own, b"t" * 32).opens()
    assert not checked(own).opens()
