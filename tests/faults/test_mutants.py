"""Mutants and crash points stand at functions that the services have, so that a renamed one is noticed here."""

import pytest

from tests.chaos.injection import crash_points, mutants


def is_there(place):
    owner, name = place
    return callable(getattr(owner, name, None))


@pytest.mark.parametrize("name", mutants.MUTANTS)
def test_a_mutant_replaces_functions_that_there_are(name, monkeypatch):
    places = []
    monkeypatch.setattr(mutants, "wrap", lambda place, _around: places.append(place))

    mutants.remove(name)

    assert places
    assert all(map(is_there, places))


@pytest.mark.parametrize("point", crash_points.POINTS)
def test_a_crash_point_stands_at_a_function_that_there_is(point, monkeypatch):
    places = []
    monkeypatch.setattr(crash_points, "wrap", lambda place, _around: places.append(place))

    crash_points.arm(point, crash=lambda: None)

    assert len(places) == 1
    assert is_there(places[0])
