"""The glossary: a word for everything that clerks see, and the way back from the word."""

import pytest

from services.chassis.fields import Fen, OneOf
from services.contract import KINDS, glossary
from services.contract.district import DISTRICTS
from services.contract.rural import Voucher
from tests.chassis.test_field_classes import every_store
from tests.contract.commands import COMMANDS, every_field

OF_EVERY_RECORD = ("id", "version", "state", "service", "kind", "happened", "time", "actor", "cause")


def is_chinese(word):
    return any("一" <= char <= "鿿" for char in word)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_field_and_every_choice_of_a_kind_has_a_word(kind):
    for field in kind.fields.values():
        assert is_chinese(glossary.field(field.name, of=kind.key)), field.name
        for choice in field.choices:
            assert is_chinese(glossary.value(choice, field=field.name, of=kind.key)), (field.name, choice)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_every_field_and_choice_of_it_has_a_word(command):
    assert is_chinese(glossary.command(command))

    for name, field in every_field(COMMANDS[command]):
        assert is_chinese(glossary.field(name, of=command)), name
        for choice in field.choices if isinstance(field, OneOf) else ():
            assert is_chinese(glossary.value(choice, field=name, of=command)), (name, choice)


@pytest.mark.parametrize("store", every_store(), ids=lambda store: store.kind.key)
def test_every_field_that_staff_read_has_a_word(store):
    for path, told in store.field_classes().described.items():
        for name in (*path.split("."), *names_in(told["schema"])) if "schema" in told else ():
            assert is_chinese(glossary.field(name, of=store.kind.key)), name


def names_in(schema):
    """The names of the fields of a schema, those inside it too."""
    for name, inner in schema.get("properties", {}).items():
        yield from (name, *names_in(inner))
    for inner in (schema.get("items"), *schema.get("anyOf", ())):
        yield from names_in(inner) if inner else ()


def test_kinds_services_and_happenings_have_a_word():
    for kind in KINDS.values():
        assert is_chinese(glossary.kind(kind.key))
        assert is_chinese(glossary.service(kind.service))
        for happened in kind.happenings:
            assert is_chinese(glossary.happening(happened)), happened


def test_no_two_fields_share_a_word():
    for language in ("zh", "en"):
        said = [word.said(language) for word in glossary.FIELDS.values()]
        assert len(set(said)) == len(said), language


@pytest.mark.parametrize("of", [*COMMANDS, *KINDS])
def test_no_two_fields_of_one_sheet_share_a_word(of):
    names = list(COMMANDS[of].fields) if of in COMMANDS else [*OF_EVERY_RECORD, *KINDS[of].fields]

    named = glossary.fields_named(names, of=of)

    for name in names:
        for word in (name, *glossary.field_word(name, of=of).all):
            assert named[glossary.plain(word)] == name, word


@pytest.mark.parametrize("of", [*COMMANDS, *KINDS])
def test_every_word_of_a_choice_leads_back_to_it(of):
    for name, choices in lists_of(of):
        named = glossary.values_named(choices, field=name, of=of)
        for choice in choices:
            for word in (choice, *glossary.value_word(choice, field=name, of=of).all):
                assert named[glossary.plain(word)] == choice, (name, word)


def test_nothing_is_named_that_does_not_exist():
    views = {name for kind in KINDS.values() for name in kind.fields}
    asked = {name for schema in COMMANDS.values() for name, _ in every_field(schema)}
    voucher = set(Voucher.__dataclass_fields__)
    choices = {choice for of in (*COMMANDS, *KINDS) for _, listed in lists_of(of) for choice in listed}

    described = [
        one for store in every_store() for one in store.field_classes().described.items() if "schema" in one[1]
    ]
    office = {name for path, told in described for name in (*path.split("."), *names_in(told["schema"]))}

    assert set(glossary.FIELDS) == views | asked | voucher | office | set(OF_EVERY_RECORD)
    assert set(glossary.VALUES) == (choices | {"true", "false"}) - set(DISTRICTS)
    assert set(glossary.KINDS) == set(KINDS)
    assert set(glossary.COMMANDS) == set(COMMANDS)
    assert set(glossary.HAPPENINGS) == {happened for kind in KINDS.values() for happened in kind.happenings}
    assert set(glossary.FIELDS_OF) <= {*COMMANDS, *KINDS}


def test_money_is_what_is_called_fen():
    for command, schema in COMMANDS.items():
        for name, field in every_field(schema):
            assert isinstance(field, Fen) == (name == "fen" or name.endswith("_fen")), (command, name)
            assert not isinstance(field, Fen) or glossary.unit(name).zh == "元"


@pytest.mark.parametrize(
    "said", ["峨边", "峨边县", "峨边彝族自治县", "乐山市峨边县", "511132", " 峨边　县 ", "峨边彝族自治县 511132"]
)
def test_a_district_is_known_by_all_its_names(said):
    assert glossary.values_named(DISTRICTS)[glossary.plain(said)] == "511132"


def test_a_word_for_two_choices_stands_for_neither():
    named = glossary.values_named(["farmers", "urban"])
    assert named["农民"] == "farmers"

    assert "进行中" not in glossary.values_named(["ongoing", "open"])


def test_what_has_no_word_is_called_by_its_name():
    assert glossary.field("brand_new") == "brand_new"
    assert glossary.value("brand_new") == "brand_new"


def lists_of(of):
    if of in KINDS:
        return [(field.name, field.choices) for field in KINDS[of].fields.values() if field.choices]
    return [(name, field.choices) for name, field in every_field(COMMANDS[of]) if isinstance(field, OneOf)]
