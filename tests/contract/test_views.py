"""Views: one declaration per kind gives reader, writer and schema; nothing personal is in any of them."""

import re
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import inspect

from services.contract import EVERY_KIND
from services.contract.view import BrokenView
from tests.contract.views import any_view, as_said, samples_of

CALLED_BY_NAME = {
    "members.organisation": {"name"},
    "rural.association": {"name", "industry"},
    "rural.service_point": {"name"},
    "awards.notice": {"url", "office_line"},
    "outreach.web_post": {"url"},
}
"""Organisations, associations and points are called by their names, which are public; people never are. The address of
a public notice or post, and the landline of an office, are of a form that holds neither names nor mobile numbers."""

OPAQUE = re.compile(
    r"(.*_ids?|.*_codes?|.*doc_no|document_no|certificate_no|voucher_no|.*_hash|district|merged_into|superseded_by)$"
)
"""Texts that say which, not who: ids, codes, digests and document numbers."""

WRONG = {str: 5, int: "5", bool: "yes", date: "yesterday", Decimal: "much"}


@given(any_view())
def test_a_view_is_written_as_it_was_read(kind_and_data):
    kind, data = kind_and_data

    assert as_said(kind.write(kind.read(data))) == data


@given(any_view(), st.dictionaries(st.text(), st.integers()))
def test_fields_that_a_reader_does_not_know_are_ignored(kind_and_data, unknown):
    kind, data = kind_and_data

    assert kind.read({**unknown, **data}) == kind.read(data)


@given(any_view(), st.data())
def test_a_missing_field_is_refused_by_its_name(kind_and_data, chance):
    kind, data = kind_and_data
    missing = chance.draw(st.sampled_from(sorted(data)))

    with pytest.raises(BrokenView, match=rf"{kind.key}: .*`{missing}`"):
        kind.read({name: value for name, value in data.items() if name != missing})


@given(any_view(), st.data())
def test_a_field_of_another_type_is_refused_by_its_name(kind_and_data, chance):
    kind, data = kind_and_data
    name = chance.draw(st.sampled_from(sorted(data)))
    field = kind.fields[name]
    wrong = 5 if field.many else WRONG.get(field.type, 5)

    with pytest.raises(BrokenView, match=rf"{kind.key}: .*\$\.{name}\b"):
        kind.read({**data, name: wrong})


@pytest.mark.rule("X-06")
@pytest.mark.parametrize("wrong", [-1, 2**63, 0.5, "3", True])
def test_a_quantity_that_is_no_whole_number_from_0_on_is_refused(wrong):
    count = EVERY_KIND["outreach.audience_count"]
    data = {**samples_of(count)[0], "person_times": wrong}

    with pytest.raises(BrokenView, match="person_times"):
        count.read(data)


@pytest.mark.rule("X-06")
def test_not_counted_stays_none_and_is_not_0():
    count = EVERY_KIND["outreach.audience_count"]
    data = samples_of(count)[0]

    assert count.read({**data, "minors": None}).minors is None
    assert count.read({**data, "minors": 0}).minors == 0


@pytest.mark.rule("X-08")
@pytest.mark.parametrize("kind", EVERY_KIND.values(), ids=EVERY_KIND)
def test_a_view_has_ids_counts_days_and_states_and_nothing_about_a_person(kind):
    for name, text in _texts(kind.view).items():
        assert text in ("choice", "opaque") or name in CALLED_BY_NAME.get(kind.key, ()), (
            f"{kind.key}.{name} may hold anything, a person's name too"
        )


@pytest.mark.rule("X-08")
@pytest.mark.parametrize("kind", EVERY_KIND.values(), ids=EVERY_KIND)
def test_no_field_is_called_after_a_person(kind):
    personal = re.compile(
        "person(?!_times|_ids?$)|phone|mobile|tel|email|contact|address|title|entrant|winner|teacher|reason(?!_code$)"
    )

    assert not [name for name in _texts(kind.view) if personal.search(name)]


@pytest.mark.parametrize("kind", EVERY_KIND.values(), ids=EVERY_KIND)
def test_every_kind_says_what_it_is_and_has_a_state_and_happenings(kind):
    assert kind.view.__doc__.strip()
    assert kind.states
    assert kind.happenings
    assert len(set(kind.happenings)) == len(kind.happenings)


@pytest.mark.parametrize("kind", EVERY_KIND.values(), ids=EVERY_KIND)
def test_the_json_schema_names_every_field(kind):
    (schema,) = [one for name, one in kind.json_schema["$defs"].items() if name == kind.view.__name__]

    assert set(schema["properties"]) == set(kind.fields)


def test_no_two_kinds_share_a_plural_in_one_service():
    plurals = [(kind.service, kind.plural) for kind in EVERY_KIND.values()]

    assert len(set(plurals)) == len(plurals)


def _texts(view):
    """The text fields of a view and of its parts, and what kind of text that is."""
    found = {}

    def walk(name, kind):
        if isinstance(kind, inspect.Metadata):  # of money: its unit
            walk(name, kind.type)
        elif isinstance(kind, inspect.DataclassType):
            for field in kind.fields:
                walk(field.name, field.type)
        elif isinstance(kind, inspect.Metadata):  # a number with its unit
            walk(name, kind.type)
        elif isinstance(kind, inspect.UnionType):
            for one in kind.types:
                walk(name, one)
        elif isinstance(kind, inspect.VarTupleType):
            walk(name, kind.item_type)
        elif isinstance(kind, inspect.LiteralType):
            found[name] = "choice"
        elif isinstance(kind, inspect.StrType):
            found[name] = "opaque" if OPAQUE.match(name) else "text"
        else:
            numbers = inspect.IntType | inspect.DecimalType
            days = inspect.DateType | inspect.DateTimeType
            assert isinstance(kind, numbers | days | inspect.BoolType | inspect.NoneType), name

    walk(view.__name__, inspect.type_info(view))
    return found
