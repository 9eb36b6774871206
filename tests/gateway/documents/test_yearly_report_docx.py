"""The yearly report as a Word document, and its charts."""

import warnings
from io import BytesIO
from pathlib import Path

import pytest
from docx import Document
from docx.oxml.ns import qn
from matplotlib import get_data_path
from PIL import Image

from gateway.documents import chart, fonts, yearly_report_docx
from gateway.documents.chart import Bar
from gateway.documents.table import ExportData
from tests.gateway.examples import PLAN

AS_OF = "2011-12-31T16:30:00+08:00"
LATIN_ONLY = [str(file) for file in sorted(Path(get_data_path(), "fonts", "ttf").glob("DejaVuSans*.ttf"))]


def a_kpi(code="K2", value=271_228, target=200_000, percent=135.61, **changes):
    return {
        "code": code, "title": {"zh": "接受科普宣传群众", "en": "-"}, "unit": {"zh": "人次", "en": "-", "scale": 1},
        "value": value, "state": "none" if value is None else "value", "target": target, "percent": percent,
        "status": None if value is None else {"code": "reached" if value >= target else "behind", "rule": {}},
        **changes,
    }  # fmt: skip


def material(*kpis, milestones=(), **changes):
    """A report about a plan of one item with these KPIs."""
    item = {
        "no": 35, "section": "2.3", "title": {"zh": "接受科普宣传群众达到20万人次", "en": "-"}, "responsible": "科普部",
        "due": "2011-12-31", "unmeasured": {"zh": "另行统计", "en": "-"},
    }  # fmt: skip
    return {
        "plan": {"year": 2011, "title": {"zh": PLAN.title.zh, "en": PLAN.title.en}}, "period": "2011", "district": None,
        "as_of": AS_OF, "definition": 2, "revision": 7, "freshness": {"outreach": AS_OF, "rural": None},
        "complete": True, "reasons": [],
        "sections": {"0": {"zh": "总体要求", "en": "-"}, "2.3": {"zh": "打造科普活动品牌", "en": "-"}},
        "items": [{**item, "kpis": list(kpis), "milestones": milestones}],
        "districts": [{"code": "511102", "name": "市中区", "values": {"K2": 271_228}}],
        "months": [{"month": "201105", "values": {"K2": 271_228}}, {"month": "201106", "values": {"K2": None}}],
        **changes,
    }  # fmt: skip


def written(content):
    file = BytesIO()
    digest = yearly_report_docx.write(file, ExportData("报告", content))
    return Document(file), digest.hex()


def texts(document):
    return [paragraph.text for paragraph in document.paragraphs]


def cells(table):
    return [[cell.text for cell in row.cells] for row in table.rows]


def test_the_report_says_how_far_the_plan_is():
    document, _ = written(material(a_kpi()))

    lines = texts(document)
    assert lines[:3] == ["乐山市科协2011年工作要点完成情况报告", "2011年12月31日", "一、总体完成情况"]
    summary, items, sources = document.tables
    assert cells(summary) == [
        ["代码", "指标", "目标", "完成", "完成百分比", "状态"],
        ["K2", "接受科普宣传群众", "200,000人次", "271,228人次", "135.61%", "已达目标"],
    ]
    assert "（二）打造科普活动品牌" in lines
    assert "（一）总体要求" not in lines  # it has no items here
    assert cells(items)[1] == [
        "35", "接受科普宣传群众达到20万人次", "科普部", "12月31日", "K2：271,228人次，为目标的135.61%",
    ]  # fmt: skip
    assert cells(sources)[1:] == [["科学普及", "2011年12月31日16:30"], ["科普惠农", "-"]]
    assert len(document.inline_shapes) == 3  # percent, districts, months


def test_no_data_is_no_zero_and_what_is_missing_is_told():
    reasons = [{"code": "behind", "service": "outreach", "zh": "3 条记录与该服务不一致", "en": "-"}]
    document, _ = written(
        material(a_kpi(value=None, percent=None), districts=[], months=[], complete=False, reasons=reasons)
    )

    assert cells(document.tables[0])[1][2:] == ["200,000人次", "-", "-", "无数据"]
    assert "科学普及：3 条记录与该服务不一致。" in texts(document)
    assert len(document.inline_shapes) == 0


def test_milestones_are_told_with_their_day_and_an_item_without_any_number_with_the_reason():
    done = {"title": {"zh": "市级青少年科技创新大赛", "en": "-"}, "state": "reached", "reached_on": "2011-06-12"}
    late = {"title": {"zh": "换届", "en": "-"}, "state": "late", "reached_on": None}

    (_, items, _), (_, plain, _) = (written(material(milestones=some))[0].tables for some in ((done, late), ()))

    assert cells(items)[1][4] == "市级青少年科技创新大赛：6月12日完成\n换届：逾期"
    assert cells(plain)[1][4] == "另行统计"


def test_money_is_told_in_yuan():
    money = {"zh": "元", "en": "yuan", "scale": 100}
    document, _ = written(material(a_kpi("K5", value=61_847_802, target=100_000_000, percent=61.85, unit=money)))

    assert cells(document.tables[0])[1][2:] == ["1,000,000元", "618,478.02元", "61.85%", "滞后"]


def test_every_page_says_of_when_and_of_what_the_report_is():
    content = material(a_kpi())
    document, digest = written(content)

    footer = document.sections[0].footer
    assert [paragraph.text for paragraph in footer.paragraphs[:2]] == [
        f"截至 {AS_OF}　台账版本 7", f"数据摘要 SHA-256 {digest}",
    ]  # fmt: skip
    fields = [field.text for field in footer._element.iter(qn("w:instrText"))]
    assert fields == ["PAGE", "NUMPAGES"]
    assert written(content)[1] == digest
    assert written(content | {"revision": 8})[1] != digest


@pytest.mark.parametrize(
    ("style", "font"), [("Title", "宋体"), ("Heading 1", "黑体"), ("Heading 2", "楷体"), ("Normal", "仿宋")]
)
def test_fonts_are_those_of_an_office(style, font):
    document, _ = written(material(a_kpi()))

    fonts = document.styles[style].element.rPr.rFonts
    assert fonts.get(qn("w:eastAsia")) == font
    assert not [name for name in fonts.attrib if name.endswith("Theme")]


def test_sections_are_numbered_as_in_chinese():
    assert [yearly_report_docx._numeral(number) for number in (1, 10, 11, 20, 21)] == [
        "一",
        "十",
        "十一",
        "二十",
        "二十一",
    ]


# --- charts -----------------------------------------------------------------------------------------------------------

BARS = [Bar("市中区", "511102", 3, "3"), Bar("犍为县", "511123", 0, "")]


def test_a_font_is_taken_only_where_it_has_every_character():
    assert fonts.font_with("511102 K2", LATIN_ONLY) in LATIN_ONLY
    assert fonts.font_with("市中区", LATIN_ONLY) is None
    assert fonts.font_with("市中区", ["/no/such/font.ttf"]) is None


def test_the_font_that_reads_best_is_taken_first(monkeypatch):
    monkeypatch.setattr(fonts, "_characters", lambda _: frozenset(map(ord, "市中区")))

    files = ["/f/zzz.ttf", "/f/NotoSansCJK-Regular.ttc", "/f/wqy-microhei.ttc"]
    assert fonts.font_with("市中区", files) == "/f/wqy-microhei.ttc"
    assert fonts.font_with("市中区", files[:1]) == "/f/zzz.ttf"


@pytest.mark.parametrize("draw", [chart.across, chart.upright])
def test_without_a_chinese_font_labels_are_codes_and_never_squares(monkeypatch, draw):
    monkeypatch.setattr(fonts, "_font_files", lambda: tuple(LATIN_ONLY))

    with warnings.catch_warnings(record=True) as missing:
        warnings.simplefilter("always")
        png = draw(BARS, unit="人次")

    assert not [warning for warning in missing if "missing from font" in str(warning.message)]
    assert Image.open(BytesIO(png)).width > 500
    assert chart._labels(BARS, None) == ["511102", "511123"]


@pytest.mark.parametrize("draw", [chart.across, chart.upright])
def test_with_a_chinese_font_labels_are_chinese(monkeypatch, draw):
    drawn = []
    monkeypatch.setattr(chart, "_labels", lambda bars, font: drawn.append(font) or [bar.code for bar in bars])
    monkeypatch.setattr(fonts, "font_with", lambda *_: LATIN_ONLY[0])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the stand-in has no Chinese
        draw(BARS, unit="人次")

    assert drawn != [None]


def test_nothing_anywhere_is_no_chart():
    assert yearly_report_docx._bars(a_kpi(), [{"values": {"K2": None}}, {"values": {}}], lambda _: ("", "")) == []
