"""What the services' descriptions say of every input: the kind of each id, what is money, and a sentence for people."""

import pytest

from services.chassis.fields import CommandId, Fen, Id, Ref
from services.contract import KINDS
from services.contract.sentences import SENTENCES
from services.outreach.domain import audience
from tests.contract.commands import COMMANDS, METHODS, QUESTIONS, every_field
from tests.contract.given_from import found_states

INPUTS = {**COMMANDS, **QUESTIONS}
IDS = [
    (of, name, field)
    for of, schema in INPUTS.items()
    for name, field in every_field(schema)
    if isinstance(field, Id) and not isinstance(field, CommandId)
]


def test_every_id_says_which_kind_of_record_or_which_thing_it_is_the_id_of():
    assert len(IDS) > 180
    undeclared = [(of, name) for of, name, field in IDS if not isinstance(field, Ref) and field.thing is None]
    assert undeclared == []


def test_every_kind_that_an_id_refers_to_is_one_of_the_services_own_records():
    kinds = {field.kind.key for _, _, field in IDS if isinstance(field, Ref)}

    assert kinds <= set(KINDS)
    assert {field.json_schema()["x-kind"] for _, _, field in IDS if isinstance(field, Ref)} == kinds
    others = {key for key in KINDS if key not in kinds}
    assert others == {  # made by events alone, or without a command about one of them
        "awards.conflicts", "awards.entry_result", "members.honour", "outreach.evidence", "outreach.exhibit_candidate",
        "rural.fund_receipt",
    }  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_the_id_of_the_record_itself_is_of_the_command_s_kind(command):
    kind = METHODS[command].kind
    own = [field for name, field in COMMANDS[command].fields.items() if isinstance(field, Ref) and field.kind is kind]

    assert own or kind.name in ("conflicts", "evidence", "assignment", "score_sheet"), command


def test_what_is_money_says_so_and_nothing_else_does():
    said = {
        (of, name): field.json_schema().get("x-unit")
        for of, schema in INPUTS.items()
        for name, field in every_field(schema)
    }

    assert {unit for unit in said.values() if unit} == {"fen"}
    assert {key for key, unit in said.items() if unit} == {key for key in said if key[1].split("_")[-1] == "fen"}
    for of, schema in INPUTS.items():
        assert all(isinstance(field, Fen) == (said[of, name] == "fen") for name, field in every_field(schema)), of


def test_what_is_money_in_a_view_says_so():
    for kind in KINDS.values():
        for definition in kind.json_schema["$defs"].values():
            for name, schema in definition["properties"].items():
                assert ("x-unit" in str(schema)) == name.endswith("fen"), (kind.key, name)


@pytest.mark.parametrize("method", INPUTS)
def test_every_command_and_every_question_has_a_sentence_in_both_languages(method):
    english, chinese = METHODS[method].sentence, SENTENCES[method]

    assert english.endswith(".")
    assert english.isascii() or "成立大会" in english or "备案" in english
    assert chinese.endswith("。")
    assert sum("一" <= char <= "鿿" for char in chinese) >= 5


def test_no_sentence_is_about_a_method_that_there_is_not():
    assert set(SENTENCES) == set(INPUTS)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_states_from_which_a_command_may_be_given_are_those_that_its_rule_lets_pass(command):
    declared, kind = METHODS[command].entrypoint, METHODS[command].kind

    found = None if declared.adds else found_states(command)
    if found is None:  # no machine of the kind is asked: it adds a record, or may be given in any state
        assert set(declared.states) in (set(), set(kind.states))
    else:
        assert set(declared.states) == set(found)


def test_most_commands_are_held_to_their_machine():
    held = [
        command for command in COMMANDS if not METHODS[command].entrypoint.adds and found_states(command) is not None
    ]

    assert len(held) >= 85


def test_a_rule_that_lets_another_state_pass_is_noticed(monkeypatch):
    monkeypatch.setitem(audience.LIFECYCLE.moves, "rejected", ("verified",))

    assert set(found_states("outreach.verify_count")) == {"recorded", "rejected"}
