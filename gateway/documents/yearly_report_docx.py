"""DOCX: the yearly report, with tables and charts, in the words and the form of an office."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import IO, Any

from gateway.documents import chart, column_labels
from gateway.documents.chart import Bar
from gateway.documents.table import ExportData
from gateway.documents.word_document import WordDocument
from services.contract import glossary, wire

Answer = Mapping[str, Any]

NO_DATA = "-"  # which is not 0 (G-05)
NUMERALS = "一二三四五六七八九十"
LONGEST_LABEL = 16  # characters of a title


def write(file: IO[bytes], data: ExportData) -> bytes:
    """Write the report; return the SHA-256 of its material in canonical JSON."""
    material = data.facts
    digest = sha256(wire.canonical(material)).digest()
    paper = WordDocument(f"{material['plan']['title']['zh']}完成情况报告")
    paper.write_date(_long_day(material["as_of"]))
    targeted = [kpi for kpi in _kpis(material) if kpi["target"] is not None]
    _overall(paper, material, targeted)
    _sections(paper, material)
    _split(paper, material, targeted)
    _sources(paper, material)
    paper.foot(_foot(material, digest))
    paper.save(file)
    return digest


def _overall(paper: WordDocument, material: Answer, targeted: Sequence[Answer]) -> None:
    paper.chapter("一、总体完成情况")
    paper.text(_summary(material, targeted))
    paper.table(
        "主要指标完成情况",
        ("代码", "指标", "目标", "完成", "完成百分比", "状态"),
        [_row(kpi) for kpi in targeted or _kpis(material)],
        (1.2, 4.1, 2.8, 3.3, 2.1, 2.1),
        right="目标完成百分比",
    )
    if measured := [kpi for kpi in targeted if kpi["percent"] is not None]:
        bars = [Bar(_label(kpi), kpi["code"], kpi["percent"], _percent(kpi)) for kpi in measured]
        paper.figure(chart.across(bars, unit="完成百分比（虚线为目标）", mark=100), "各项指标完成百分比")


def _summary(material: Answer, targeted: Sequence[Answer]) -> str:
    reached = sum(map(_is_reached, targeted))
    no_data = sum(kpi["value"] is None for kpi in targeted)
    where = f"（{glossary.value(material['district'])}）" if material["district"] else ""
    when = "全年" if material["period"] == str(material["plan"]["year"]) else f"{material['period']}时段"
    return (
        f"{material['plan']['title']['zh']}共{len(material['items'])}项工作。{when}{where}，"
        f"设有目标的指标{len(targeted)}项，其中已达目标{reached}项，"
        f"未达目标{len(targeted) - reached - no_data}项，尚无数据{no_data}项。"
        + ("" if material["complete"] is not False else "部分数据尚不完整，原因见文末。")
    )


def _row(kpi: Answer) -> tuple[str, ...]:
    amounts = _amount(kpi, "target"), _amount(kpi, "value")
    return kpi["code"], kpi["title"]["zh"], *amounts, _percent(kpi), _status(kpi)


def _sections(paper: WordDocument, material: Answer) -> None:
    paper.chapter("二、分项完成情况")
    for place, (code, title) in enumerate(material["sections"].items()):
        items = [item for item in material["items"] if item["section"] == code]
        if items:
            paper.section(f"（{_numeral(place + 1)}）{title['zh']}")
            paper.table(
                "",
                ("序号", "工作内容", "责任部门", "期限", "完成情况"),
                [
                    (str(item["no"]), item["title"]["zh"], item["responsible"], _day(item["due"]), _done(item))
                    for item in items
                ],
                (1.2, 5.5, 2.1, 2.6, 4.2),
            )


def _split(paper: WordDocument, material: Answer, targeted: Sequence[Answer]) -> None:
    """Draw each number by district and by month, wherever there is any of it."""
    paper.chapter("三、分辖区和分月完成情况")
    drawn = 0
    for kpi in targeted:
        unit = kpi["unit"]["zh"]
        if by_district := _bars(kpi, material["districts"], lambda part: (part["name"], part["code"])):
            paper.figure(chart.across(by_district, unit=unit), f"{kpi['title']['zh']}：分辖区（{unit}）")
        if by_month := _bars(kpi, material["months"], lambda part: (f"{int(part['month'][4:])}月", part["month"][4:])):
            paper.figure(chart.upright(by_month, unit=unit), f"{kpi['title']['zh']}：分月（{unit}）")
        drawn += bool(by_district or by_month)
    if not drawn:
        paper.text("所查时段内尚无可以分列的数据。")


def _sources(paper: WordDocument, material: Answer) -> None:
    paper.chapter("四、数据来源与完整性")
    paper.text(
        f"本报告由科协业务系统台账自动生成，数据截至{_moment(material['as_of'])}，"
        f"采用工作要点第{material['definition']}版。无数据与零分别列示；完成百分比不作封顶处理。"
    )
    if fresh := material["freshness"]:
        paper.table(
            "各业务系统最近一次数据",
            ("业务系统", "最近一次数据时间"),
            [(glossary.service(name), _moment(heard) if heard else NO_DATA) for name, heard in fresh.items()],
            (6.0, 8.0),
        )
    if material["complete"]:
        paper.text("各业务系统数据均已比对，未发现缺失。")
    for reason in material["reasons"]:
        whose = reason.get("service") or reason.get("kpi")
        paper.text(f"{glossary.service(whose) if whose else '全部'}：{reason['zh']}。")


def _foot(material: Answer, digest: bytes) -> Iterator[str]:
    revision = "" if material["revision"] is None else f"　台账版本 {material['revision']}"
    yield f"截至 {material['as_of']}{revision}"
    yield f"数据摘要 SHA-256 {digest.hex()}"


def _kpis(material: Answer) -> Iterator[Answer]:
    for item in material["items"]:
        yield from item["kpis"]


def _done(item: Answer) -> str:
    """Sum up an item by its numbers and milestones, or say why nothing of it is counted."""
    lines = [*map(_kpi_line, item["kpis"]), *map(_milestone_line, item["milestones"])]
    return "\n".join(lines) or (item["unmeasured"] or {"zh": NO_DATA})["zh"]


def _milestone_line(milestone: Answer) -> str:
    day = milestone["reached_on"]
    state = f"{_day(day)}完成" if day else column_labels.value("state", milestone["state"])
    return f"{milestone['title']['zh']}：{state}"


def _kpi_line(kpi: Answer) -> str:
    of_target = f"，为目标的{_percent(kpi)}" if kpi["percent"] is not None else ""
    return f"{kpi['code']}：{_amount(kpi, 'value')}{of_target}"


def _bars(kpi: Answer, parts: Sequence[Answer], name: Callable[[Answer], tuple[str, str]]) -> list[Bar]:
    """Make a bar for each of these parts of a number; none where there is nothing in any of them."""
    values = [part["values"].get(kpi["code"]) for part in parts]
    if not any(values):
        return []
    scale = kpi["unit"]["scale"]
    return [
        Bar(*name(part), (value or 0) / scale, "" if value is None else f"{value / scale:,.0f}")
        for part, value in zip(parts, values, strict=True)
    ]


def _is_reached(kpi: Answer) -> bool:
    """Judge by the status; in a part of the year, which has none, by the value."""
    if kpi["status"]:
        return bool(kpi["status"]["code"] == "reached")
    return kpi["value"] is not None and kpi["value"] >= kpi["target"]


def _status(kpi: Answer) -> str:
    if kpi["status"] and kpi["value"] is not None:
        return column_labels.value("status", kpi["status"]["code"])
    if kpi["value"] is None or kpi["target"] is None:
        return column_labels.value("state", kpi["state"])
    return "已达目标" if _is_reached(kpi) else "未达目标"


def _amount(kpi: Answer, name: str) -> str:
    value = kpi[name]
    return NO_DATA if value is None else f"{_number(value, kpi['unit']['scale'])}{kpi['unit']['zh']}"


def _number(value: int, scale: int) -> str:
    whole, rest = divmod(value, scale)
    return f"{value / scale:,.2f}" if rest else f"{whole:,}"


def _percent(kpi: Answer) -> str:
    return NO_DATA if kpi["percent"] is None else f"{kpi['percent']:g}%"


def _label(kpi: Answer) -> str:
    title = kpi["title"]["zh"]
    return f"{kpi['code']} {title if len(title) <= LONGEST_LABEL else title[: LONGEST_LABEL - 1] + '…'}"


def _long_day(instant: str) -> str:
    day = datetime.fromisoformat(instant)
    return f"{day.year}年{day.month}月{day.day}日"


def _day(day: str) -> str:
    return f"{int(day[5:7])}月{int(day[8:10])}日"


def _moment(instant: str) -> str:
    return f"{_long_day(instant)}{instant[11:16]}"


def _numeral(number: int) -> str:
    """Write a number from 1 to 99 in Chinese: 一 to 九十九."""
    tens, ones = divmod(number, 10)
    return (NUMERALS[tens - 1] if tens > 1 else "") + ("十" if tens else "") + (NUMERALS[ones - 1] if ones else "")
