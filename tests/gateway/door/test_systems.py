"""The list of outside systems: read again when it was replaced, and refused where it cannot be meant."""

import msgspec
import pytest

from gateway.door.systems import Grant, SystemsFile, write

AUDIT = Grant(may=("rural.list_associations",), hears=("awards.external_result.*", "rural.*.lapsed"))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "systems.json"


def put(path, systems):
    draft = path.with_suffix(".draft")
    draft.write_text(write(systems))
    draft.replace(path)


def test_a_list_is_told_once_for_each_time_that_it_was_replaced(path):
    file = SystemsFile(path)
    assert file.changed() == {}
    assert file.changed() is None

    put(path, {"audit_office": AUDIT})
    assert file.changed() == {"audit_office": AUDIT}
    assert file.changed() is None

    put(path, {"audit_office": AUDIT})
    assert file.changed() == {"audit_office": AUDIT}

    path.unlink()
    assert file.changed() == {}


@pytest.mark.parametrize(
    "content", ["", "[]", '{"../": {}}', '{"Audit": {}}', '{"a-b": {}}', '{"audit": {"may": "all"}}', '{"audit": 1}']
)
def test_a_list_that_cannot_be_meant_is_refused_once(path, content):
    file = SystemsFile(path)
    path.write_text(content)

    with pytest.raises(msgspec.MsgspecError):
        file.changed()
    assert file.changed() is None


@pytest.mark.parametrize(
    ("event", "is_heard"),
    [
        ("awards.external_result.verified", True),
        ("awards.external_result.verified.x", False),
        ("awards.award.granted", False),
        ("rural.service_point.lapsed", True),
        ("outreach.service_point.lapsed", False),
        ("", False),
    ],
)
def test_a_word_of_a_pattern_may_be_any_and_all_words_count(event, is_heard):
    assert AUDIT.allows_event(event) == is_heard
