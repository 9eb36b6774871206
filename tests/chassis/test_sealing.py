"""Sealed values: whoever has no key reads nothing, and nothing sealed is moved to another record."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.run import containers
from services.chassis.sealing import Seal, SealProvider, Unsealable
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
        sealing = SealProvider()

    keyless = Settings(amqp_uri="amqp://", mongo_uri="mongodb://", token_public_key="")

    with pytest.raises(WrongSettings, match="SEALING_KEY: sealer needs it"):
        containers([Sealer], keyless)
