"""Views of any kind, made of their declaration alone: by chance for Hypothesis, or one after the other as samples."""

from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from services.contract import wire
from services.contract.view import EVERY_KIND

LARGEST = 2**63 - 1
SHANGHAI = timezone(timedelta(hours=8))


def as_said(value):
    """The value as it comes out of JSON."""
    return wire.decode(wire.encode(value))


INSTANTS = st.datetimes(timezones=st.just(SHANGHAI)).map(as_said)


def a_view_of(kind):
    """Plain JSON data of a view, as it stands in an event."""
    return _object(kind.view)


def any_view():
    """A kind, and the data of one of its views."""
    return st.sampled_from(list(EVERY_KIND.values())).flatmap(lambda kind: st.tuples(st.just(kind), a_view_of(kind)))


def _object(cls):
    hints = get_type_hints(cls, include_extras=True)
    return st.fixed_dictionaries({item.name: _value(hints[item.name]) for item in fields(cls)})


def _value(hint):
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return INSTANTS if arguments[0] is datetime else st.integers(0, LARGEST)
    if origin in (Union, UnionType):
        (only,) = [argument for argument in arguments if argument is not NoneType]
        return st.none() | _value(only)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        return st.lists(_value(arguments[0]), max_size=3)
    if is_dataclass(hint):
        return _object(hint)
    return {
        str: st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
        bool: st.booleans(),
        date: st.dates().map(date.isoformat),
        Decimal: st.decimals(0, 1_000, places=2).map(str),
    }[hint]


def samples_of(kind):
    """Views that together show every choice of every field, and every optional field with and without a value."""
    return [_sample(kind.view, number) for number in range(_variety(kind.view))]


def _variety(cls):
    hints = get_type_hints(cls)
    return max(2, *(len(choices) for hint in hints.values() for choices in _choices(hint)))


def _choices(hint):
    if get_origin(hint) is Literal:
        return [get_args(hint)]
    optional = NoneType in get_args(hint)  # one sample has none, in the place of a choice
    return [(*choices, *(None,) * 2 * optional) for argument in get_args(hint) for choices in _choices(argument)]


def _sample(cls, number):
    hints = get_type_hints(cls, include_extras=True)
    return {
        item.name: _sample_value(hints[item.name], f"{item.name}-{number}", number)
        for item in fields(cls)
        if item.default is MISSING or number % 2 == 0
    }


def _sample_value(hint, name, number):
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return f"2011-05-{1 + number:02}T00:00:00+08:00" if arguments[0] is datetime else number
    if origin in (Union, UnionType):
        (only,) = [argument for argument in arguments if argument is not NoneType]
        return None if number == 1 else _sample_value(only, name, number)
    if origin is Literal:
        return arguments[number % len(arguments)]
    if origin is tuple:
        return [_sample_value(arguments[0], f"{name}.{place}", number + place) for place in range((number + 1) % 3)]
    if is_dataclass(hint):
        return _sample(hint, number)
    return {str: name, bool: number % 2 == 0, date: f"2011-05-{1 + number:02}", Decimal: f"{number}.5"}[hint]
