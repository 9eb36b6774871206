"""Views as they were once published stay readable, and every kind has some that are pinned."""

import json
from pathlib import Path

import pytest

from services.contract import EVERY_KIND
from services.contract.event import read
from tests.contract.views import as_said

SAMPLES = Path(__file__).parent / "samples"
RENEW = (
    "what was published before can no longer be read: give the kind another major version, or, where nobody has "
    "published it yet, renew its samples with `python -m tests.contract.samples`"
)


def pinned(kind):
    return json.loads((SAMPLES / f"{kind.key}.json").read_text(encoding="utf-8"))


def test_every_kind_has_its_samples_and_no_sample_is_left_over():
    assert {path.stem for path in SAMPLES.glob("*.json")} == set(EVERY_KIND)


@pytest.mark.parametrize("kind", EVERY_KIND.values(), ids=EVERY_KIND)
def test_what_was_once_published_is_still_read_to_the_last_field(kind):
    for said in pinned(kind)["events"]:
        try:
            event = read(json.dumps(said).encode())
        except ValueError as error:
            pytest.fail(f"{kind.key}: {error}; {RENEW}")

        data = as_said(kind.write(event.view))
        assert data == _filled_up(data, said["data"]), RENEW


@pytest.mark.parametrize("kind", EVERY_KIND.values(), ids=EVERY_KIND)
def test_what_could_once_happen_can_still_happen(kind):
    assert set(pinned(kind)["happenings"]) <= set(kind.happenings), RENEW


@pytest.mark.parametrize("kind", EVERY_KIND.values(), ids=EVERY_KIND)
def test_the_samples_show_every_state_and_every_choice(kind):
    shown = [said["data"] for said in pinned(kind)["events"]]

    for field in [field for field in kind.fields.values() if field.choices]:
        values = [data[field.name] for data in shown]
        seen = {one for value in values for one in value} if field.many else set(values)
        assert set(field.choices) <= seen, f"{kind.key}.{field.name}: {RENEW}"


def _filled_up(today, then):
    """What was published then, with the defaults of what a part of it left out."""
    if isinstance(then, dict):
        return {**today, **{name: _filled_up(today.get(name), value) for name, value in then.items()}}
    if isinstance(then, list):
        return [_filled_up(one, other) for one, other in zip(today, then, strict=True)]
    return then
