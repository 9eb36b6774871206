import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from gateway.plans import plan_file
from gateway.plans.plan_file import files
from gateway.plans.yaml_lines import BrokenFile
from services.contract.district import DISTRICTS

FOLDER = Path(plan_file.__file__).parent
FILE = (FOLDER / "2011.yaml").read_text()
PLAN = plan_file.read("2011.yaml", FILE.encode())
UNMEASURED = "unmeasured: {zh: 由其余各项的完成情况体现, en: shown by all the other items}"


def broken(old, new):
    """What is said about the plan of 2011 with one text changed, and the line on which it was changed."""
    assert FILE.count(old) >= 1, old
    with pytest.raises(BrokenFile) as refused:
        plan_file.read("2011.yaml", FILE.replace(old, new, 1).encode())
    return str(refused.value), FILE[: FILE.index(old)].count("\n") + 1


def kpi(code):
    return next(kpi for _, kpi in PLAN.kpis() if kpi.code == code)


def test_the_plan_of_2011_has_all_62_work_items_with_their_section_and_owner():
    assert [item.no for item in PLAN.items] == list(range(1, 63))
    assert PLAN.districts == DISTRICTS
    owners = [item.service for item in PLAN.items]
    assert {name: owners.count(name) for name in set(owners)} == {
        "members": 22, "outreach": 18, "rural": 11, "awards": 9, "gateway": 2,
    }  # fmt: skip


def test_six_items_carry_a_number_with_the_plan_s_targets():
    assert {kpi.code: (item.no, kpi.targets[0].value) for item, kpi in PLAN.kpis() if kpi.targets} == {
        "K1": (28, 60),
        "K2": (35, 200_000),
        "K3": (15, 10),
        "K4": (42, 20),
        "K5": (43, 1_000_000_00),  # fen
        "K6": (62, 1),
    }


def test_every_item_is_measured_or_says_why_it_is_not():
    for item in PLAN.items:
        assert bool(item.kpis or item.milestones) != bool(item.unmeasured)


def test_what_was_reported_is_counted_by_the_same_rule_with_other_states():
    k2 = kpi("K2")

    assert k2.rule.say()["where"] == {"state": "verified", "mode": "offline", "counts_for_k2": True}
    assert k2.reported.say() == k2.rule.say() | {
        "where": {"state": ["recorded", "verified"], "mode": "offline", "counts_for_k2": True}
    }


def test_the_target_in_force_is_the_last_one_decided_by_that_day():
    revised = FILE.replace(
        "- {value: 200000, decided_on: 2011-01-01, doc_no: 乐山市科协2011年工作要点}",
        "- {value: 200000, decided_on: 2011-01-01, doc_no: a}\n"
        "          - {value: 250000, decided_on: 2011-07-01, doc_no: b}",
    )
    k2 = next(kpi for _, kpi in plan_file.read("", revised.encode()).kpis() if kpi.code == "K2")

    on = [date(2010, 12, 31), date(2011, 6, 30), date(2011, 7, 1)]
    assert [k2.target(on=day).value for day in on] == [200_000, 200_000, 250_000]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("of: outreach.audience_count", "of: outreach.audience", "unknown kind 'outreach.audience'"),
        ("on: day", "on: dayy", "outreach.audience_count has no field 'dayy'"),
        ("on: day", "on: mode", "outreach.audience_count.mode is not a date"),
        ("mode: offline", "mood: offline", "no field 'mood'"),
        ("{state: verified, mode", "{state: verifyed, mode", "'verifyed' is not one of recorded"),
        ("edition_no: 26", "edition_no: x", "'x' is not a whole number"),
        ("measure: {sum: person_times}", "measure: {sum: persons}", "no field 'persons'"),
        ("measure: {sum: person_times}", "measure: {avg: person_times}", "none of count"),
        ("by: [district, format]", "by: [district, formt]", "no field 'formt'"),
        ("by: [district, format]", "by: [district, lead_org_id]", "lead_org_id may hold anything"),
        ("by: [district, format]", "by: [format]", "district is missing"),
        ("reported: {state: [recorded", "reported: {state: [recordet", "'recordet' is not one of"),
        ("reported: {state: [recorded, verified]}", "reported: recorded", "mapping of field to value"),
        ("unit: {zh: 人次, en: person-times}", "unit: {zh: 元, en: yuan, fen: true}", "cannot have a unit of money"),
        ("unit: {zh: 元, en: yuan, fen: true}", "unit: {zh: 元, en: yuan}", "needs a unit of money"),
        ("code: K4", "code: K3", "K3 stands here twice"),
        ("no: 7\n", "no: 6\n", "6 stands here twice"),
        ("responsible: 办公室", "responsable: 办公室", "unknown word 'responsable'"),
        ("due: 2011-12-31", "due: 2011-13-31", "Not a valid date"),
        ('section: "2.4"', 'section: "2.9"', "no section '2.9'"),
        ("service: members", "service: member", "Must be one of"),
        ("511102: 市中区", "511103: 市中区", "no district of ours"),
        ("511102: 市中区", "511102: 沙湾区", "511102 is not 沙湾区, it is 市中区"),
        ("timezone: Asia/Shanghai", "timezone: Europe/Paris", "Must be one of"),
        ("year: 2011", "year: twenty", "Not a valid integer"),
        ("en: yuan, fen: true}", "en: yuan, fen: true}\n        unit: {zh: a, en: b}", "stands here twice"),
        (UNMEASURED, "kpis: *every", "aliases are not taken"),
        (UNMEASURED, "kpis: " + "[" * 30, "nested deeper than"),
        (UNMEASURED, "kpis: [", ""),
        ("months: [2, 4, 18", "months: [2, 4, 19", "add up to 101, not 100"),
        ("months: [2, 4, 18, 6", "months: [2, 24, 6", "Length must be 12"),
        ("expects: weekly", "expects: sometimes", "Must be one of"),
        ("nature: to_date", "nature: stock", "is what its last record says"),
        ("measure: {distinct: lead_org_id}", "measure: {distinct: weight}", "no field 'weight'"),
        ("code: M-WEEK", "code: M-SPRING", "M-SPRING stands here twice"),
        ("campaign_kind: st_week", "campaign_kind: st_weak", "'st_weak' is not one of"),
        (UNMEASURED, "responsible: ", "stands here twice"),
        (UNMEASURED, "kpis: []", "or else says why nothing of it is counted"),
    ],
)
def test_what_the_contract_does_not_know_is_refused_with_its_line(old, new, says):
    message, line = broken(old, new)

    assert says in message
    if says not in ("", "stands here twice"):
        assert f"2011.yaml:{line}: " in message


WORD = re.compile(r"(?<![\w.])([a-z_]+)(?=:(?: |$))", re.MULTILINE)
WORDS = [word for word in WORD.finditer(FILE) if "#" not in FILE[: word.start()].rpartition("\n")[2]]


@pytest.mark.acceptance(12)
@examples(max_examples=30)
@given(st.sampled_from(WORDS), st.data())
def test_a_plan_with_a_misspelt_field_is_refused_with_its_line_number(word, data):
    """Any word of the file that has a value after it, with a letter too many."""
    place = data.draw(st.integers(word.start(), word.end()))
    letter = data.draw(st.sampled_from("qxz_"))
    misspelt = FILE[:place] + letter + FILE[place:]
    line = FILE.count("\n", 0, word.start()) + 1

    with pytest.raises(BrokenFile) as refused:
        plan_file.read("2011.yaml", misspelt.encode())

    assert f"2011.yaml:{line}: " in str(refused.value)


def test_everything_that_is_wrong_is_told_at_once():
    wrong = FILE.replace("on: day\n", "on: dayy\n").replace("on: completed_on", "on: completed")

    with pytest.raises(BrokenFile) as refused:
        plan_file.read("2011.yaml", wrong.encode())

    assert {fault.at for fault in refused.value.faults} == {
        "items[8].kpis[0].beside[0].rule.on", "items[8].kpis[1].rule.on", "items[24].kpis[0].rule.on",
        "items[34].kpis[0].rule.on", "items[35].kpis[0].rule.on", "items[35].kpis[0].beside[0].rule.on",
        "items[40].kpis[0].rule.on", "items[41].kpis[0].rule.on",
    }  # fmt: skip


def test_a_number_may_be_the_least_of_several_parts():
    rule = FILE[FILE.index("        rule:\n          of: rural.service_point\n          where: {state: complete}") :]
    rule = rule[: rule.index("\n\n")]
    part = rule.replace("        rule:\n", "").replace("          ", "            ")
    sets = FILE.replace(rule, f"        least:\n          stations:\n{part}\n          officers:\n{part}", 1)

    k4 = next(kpi for _, kpi in plan_file.read("", sets.encode()).kpis() if kpi.code == "K4")

    assert list(k4.parts) == ["stations", "officers"]
    assert k4.rules == tuple(k4.parts.values())


def test_a_word_that_stands_twice_is_refused_on_its_second_line():
    _, line = broken("year: 2011", "year: 2011\nyear: 2012")

    with pytest.raises(BrokenFile, match=f"^x:{line + 1}: year: stands here twice"):
        plan_file.read("x", FILE.replace("year: 2011", "year: 2011\nyear: 2012", 1).encode())


@pytest.mark.parametrize(
    "content", [b"", b"a", b"- 1", b"\xff\xfe\x00", b"\x00", b"? [a]\n: b", b"a: b: c", b"--- 1\n--- 2"]
)
def test_a_file_that_is_no_plan_at_all_is_refused(content):
    with pytest.raises(BrokenFile, match=r"^x:"):
        plan_file.read("x", content)


def test_a_plan_has_at_most_a_million_bytes():
    padding = (1_000_000 - len(FILE.encode()) - 2) * "x"

    assert plan_file.read("x", f"{FILE}# {padding}".encode()).year == 2011
    with pytest.raises(BrokenFile, match="1000001 bytes"):
        plan_file.read("x", f"{FILE}# {padding}x".encode())


def test_a_folder_has_one_plan_a_year(tmp_path):
    (tmp_path / "2011.yaml").write_text(FILE)
    assert list(files(tmp_path)) == [2011]

    (tmp_path / "copy.yaml").write_text(FILE)
    with pytest.raises(BrokenFile, match=r"copy\.yaml:1: year: there is another plan for 2011"):
        files(tmp_path)
