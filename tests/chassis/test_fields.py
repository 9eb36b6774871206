"""The fields of commands: strict, in both languages, and said as JSON Schema."""

from dataclasses import dataclass
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.fields import (
    AnyDay,
    CommandId,
    Day,
    District,
    Fen,
    Flag,
    Group,
    Id,
    Many,
    OneOf,
    Schema,
    Sha256,
    Text,
    Verbatim,
    Whole,
    json_schema,
    load,
)
from services.chassis.problem import InvalidInput
from tests.contract.commands import COMMANDS, every_field


def taken(field, value):
    return load(Schema.from_dict({"it": field})(), {"it": value})["it"]


TAKEN = [
    (CommandId(), "_x.1:-"), (CommandId(), "x" * 200), (CommandId(), "6b657869-6500-4000-8000-13812345678a"),
    (Id(), "a-1.b_c:D"), (Id(), "x" * 100), (Text(max=5), "五个字 。"), (Whole(), 0), (Whole(max=3), 3),
    (Fen(), 2**63 - 1), (Flag(), False), (OneOf("a", "b"), "b"), (District(), "511102"), (Sha256(), "0f" * 32),
]  # fmt: skip

REFUSED = [
    (CommandId(), "x" * 201), (CommandId(), ".."), (CommandId(), "a/b"), (CommandId(), "王小明"), (CommandId(), ""),
    (Id(), ""), (Id(), "x" * 101), (Id(), "-x"), (Id(), "a b"), (Id(), "a\n"), (Id(), "甲"), (Id(), 7), (Id(), None),
    (Text(max=5), ""), (Text(max=5), " \u3000\t"), (Text(max=5), "六个字太长了"), (Text(), ["a"]), (Text(), None),
    (Day(), "2011-02-29"), (Day(), "20110514"), (Day(), "2011-5-14"), (Day(), "2011-W20-6"), (Day(), 20110514),
    (Day(), "2011-05-14T00:00"), (Whole(), -1), (Whole(), 1.0), (Whole(), "1"), (Whole(), True), (Whole(max=3), 4),
    (Fen(), 2**63), (Fen(), 0.5), (Flag(), 1), (Flag(), "true"), (OneOf("a"), "A"), (OneOf("a"), ["a"]),
    (District(), "510000"), (Sha256(), "0F" * 32), (Sha256(), "0f" * 31), (Many(Id()), "a"), (Many(Id()), {"a": 1}),
    (Many(Id(), min=1), []), (Many(Id(), max=2), ["a", "b", "c"]), (Many(Id()), ["a", " "]), (Many(Whole()), [None]),
    (Group(Schema, dict), None), (Group(Schema, dict), []), (Group(Schema, dict), "{}"),
]  # fmt: skip


EVERY_TEXT = [
    pytest.param(field, id=f"{command}.{name}")
    for command, schema in COMMANDS.items()
    for name, field in every_field(schema)
    if isinstance(field, Text)
]


@pytest.mark.parametrize("field", EVERY_TEXT)
def test_no_text_of_any_command_may_hold_what_it_does_not_show(field):
    for character in "\0\x07\u202e\ud800\ufffe":
        with pytest.raises(InvalidInput) as invalid:
            taken(field, f"a{character}b")

        (error,) = invalid.value.errors
        assert f"U+{ord(character):04X}" in error.en
        assert f"U+{ord(character):04X}" in error.zh


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        (Text(), " 记\u200b-1\ufeff", "记-1"), (Id(), "\u200ba-1", "a-1"), (Text(max=500), "一\r\n二", "一\n二"),
        (Verbatim(), " a\u200b\0 ", " a\u200b\0 "),
    ],
)  # fmt: skip
def test_a_text_is_kept_without_what_nobody_can_see(field, given, kept):
    assert taken(field, given) == kept


@pytest.mark.rule("X-08")
@pytest.mark.parametrize("field", [Id(), CommandId(), Many(Id())])
@pytest.mark.parametrize("number", ["13812345678", "p-138-1234-5678", "11010519491231002X", "110105491231002"])
def test_the_number_of_a_person_is_no_id(field, number):
    with pytest.raises(InvalidInput) as invalid:
        taken(field, [number] if isinstance(field, Many) else number)

    (error,) = invalid.value.errors
    assert error.rule == "X-08"
    assert error.en.startswith("X-08: An id is no number")
    assert error.zh.startswith("X-08：编号不得为")


class Inner(Schema):
    name = Text(max=5)
    number = Whole()


@dataclass(frozen=True)
class Made:
    name: str
    number: int


def test_a_group_becomes_its_value_and_says_its_fields():
    field = Many(Group(Inner, Made))

    assert taken(field, [{"name": "甲", "number": 1}]) == (Made("甲", 1),)
    assert field.json_schema()["items"]["required"] == ["name", "number"]


@pytest.mark.rule("X-06")
def test_everything_that_is_wrong_in_a_group_is_named_by_its_field():
    with pytest.raises(InvalidInput) as invalid:
        taken(Group(Inner, Made), {"number": -1, "colour": "red"})

    assert sorted((error.field, error.en.partition(":")[0], error.rule) for error in invalid.value.errors) == [
        ("it", "colour", None), ("it", "name", None), ("it", "number", "X-06")
    ]  # fmt: skip
    assert all(error.zh.partition("：")[0] in ("colour", "name", "number") for error in invalid.value.errors)


@pytest.mark.parametrize(("field", "value"), TAKEN)
def test_a_value_of_its_kind_is_taken_as_it_is(field, value):
    assert taken(field, value) == value


@pytest.mark.parametrize(("field", "value"), REFUSED)
def test_any_other_value_is_refused_in_both_languages(field, value):
    with pytest.raises(InvalidInput) as invalid:
        taken(field, value)

    (error,) = invalid.value.errors
    assert error.field == "it"
    assert error.en
    assert error.zh


@given(st.dates(date(1991, 1, 1), date(2099, 12, 31)))
def test_every_day_that_a_plan_can_name_is_taken(day):
    assert taken(Day(), day.isoformat()) == taken(AnyDay(), day.isoformat()) == day


@pytest.mark.rule("X-07")
@pytest.mark.parametrize("day", ["0001-01-01", "1900-02-28", "1990-12-31", "2100-01-01", "9999-12-31"])
def test_a_day_of_a_year_that_no_plan_is_near_is_refused_by_the_rule(day):
    with pytest.raises(InvalidInput) as invalid:
        taken(Day(), day)

    (error,) = invalid.value.errors
    assert (error.field, error.rule) == ("it", "X-07")
    assert (error.en, error.zh) == ("X-07: A day from 1991 to 2099.", "X-07：须为 1991 至 2099 年的日期。")
    assert taken(AnyDay(), day).isoformat() == day


EVERY_DAY = [
    pytest.param(field, id=f"{command}.{name}")
    for command, schema in COMMANDS.items()
    for name, field in every_field(schema)
    if isinstance(field, AnyDay)
]


@pytest.mark.rule("X-07")
@pytest.mark.parametrize("field", EVERY_DAY)
def test_no_command_takes_a_day_of_the_year_1_or_1900(field):
    for day in ("0001-01-01", "1900-05-14"):
        with pytest.raises(InvalidInput, match=r"X-07: A day from (1991|1949) to 2099"):
            load(Schema.from_dict({"it": type(field)(since=field.years.start)})(), {"it": day})


@pytest.mark.rule("X-06")
def test_a_quantity_that_is_not_whole_is_refused_by_the_rule():
    with pytest.raises(InvalidInput) as invalid:
        taken(Fen(), 0.5)

    assert invalid.value.errors[0].rule == "X-06"


def test_what_may_be_left_out_is_none_and_several_are_none_at_all():
    class Report(Schema):
        title = Text(required=False)
        people = Whole(required=False)
        ids = Many(Id(), required=False)

    assert load(Report(), {}) == {"title": None, "people": None, "ids": ()}
    assert load(Report(), {"title": None, "people": 0}) == {"title": None, "people": 0, "ids": ()}


def test_everything_that_is_wrong_is_named_and_an_unknown_field_with_the_known_ones():
    class Report(Schema):
        title = Text()
        people = Whole()

    with pytest.raises(InvalidInput) as invalid:
        load(Report(), {"people": -1, "colour": "red"})
    assert {error.field: error.en for error in invalid.value.errors} == {
        "title": "This field is needed.",
        "people": "X-06: A whole number, 0 or more.",
        "colour": "Unknown field; known: title, people.",
    }


def test_a_schema_says_what_may_be_sent():
    class Report(Schema):
        level = OneOf("province", "national")
        edition = Whole(min=1, max=999)
        proof = Sha256()
        days = Many(Day(), min=1, max=5, required=False)

    assert json_schema(Report()) == {
        "type": "object",
        "properties": {
            "level": {"type": "string", "enum": ["province", "national"], "title": "级别"},
            "edition": {"type": "integer", "minimum": 1, "maximum": 999},
            "proof": {
                "type": "string",
                "minLength": 1,
                "maxLength": 64,
                "pattern": "^[0-9a-f]{64}$",
                "description": "64 位十六进制的 SHA-256。\nA SHA-256 of 64 hexadecimal digits.",
            },
            "days": {
                "type": "array",
                "items": {"type": "string", "format": "date"},
                "minItems": 1,
                "maxItems": 5,
                "title": "活动日期",
            },
        },
        "required": ["level", "edition", "proof"],
        "additionalProperties": False,
    }


def test_a_field_is_titled_by_the_word_of_its_command():
    class Report(Schema):
        title = Text()

    assert json_schema(Report())["properties"]["title"]["title"] == "题目"
    assert json_schema(Report(), of="outreach.create_activity")["properties"]["title"]["title"] == "活动名称"


def test_a_list_that_may_be_left_out_is_empty_where_it_is_left_out_or_null():
    class Named(Schema):
        names = Many(Id(), required=False)

    assert load(Named(), {}) == load(Named(), {"names": None}) == {"names": ()}
    assert load(Named(), {"names": ["a"]}) == {"names": ("a",)}
