"""Sheets of every kind that is made to hurt, small ones: `./kexie bench --sheets` has 500 of any size."""

import warnings

import pytest

from gateway.imports import sheet_process
from gateway.imports.sheets import BrokenSheet
from tests.gateway.imports.sheets.examples import COUNTS
from tests.gateway.imports.sheets.hostile import KINDS, made

SMALL = 100_000  # bytes before they are packed
LONGEST = 1_000  # characters of a message, which stands on a page


def refusal_of(path):
    """What the uploader is told, in both languages; nothing where the sheet can be read."""
    try:
        assert all(portion.read for portion in sheet_process.read(path, path.name, COUNTS))
    except BrokenSheet as broken:
        return broken.zh, broken.en
    return "", ""


@pytest.mark.parametrize("name", KINDS)
def test_a_hostile_sheet_is_read_or_refused_by_name(tmp_path, name):
    with warnings.catch_warnings(action="ignore"):  # of a name that is there twice
        path = made(name, 2011, tmp_path, most=SMALL)

    zh, en = refusal_of(path)

    assert bool(zh) == bool(en)
    assert (zh, en) != sheet_process.TOO_MUCH
    assert max(len(zh), len(en)) < LONGEST


def test_a_seed_makes_the_same_sheet_again(tmp_path):
    (once, again) = (tmp_path / "once", tmp_path / "again")
    for folder in (once, again):
        folder.mkdir()

    kinds = ("formulas", "numbers of any length", "wrong encodings", "nothing but noise")
    for name in kinds:
        first, second = (made(name, 7, folder, most=SMALL) for folder in (once, again))
        assert first.read_bytes() == second.read_bytes()
