"""DOCX: the yearly report, with tables and charts, in the words and the form of an office."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import IO, Any

from gateway.documents import chart, column_labels
from gateway.documents.chart import Bar
from gateway.documents.table import Gathered
from gateway.documents.word_document import WordDocument
from services.contract import glossary, wire

Answer = Mapping[str, Any]

NOTHING = "-"  # G-05: no data is not 0
NUMERALS = "一二三四五六七八九十"
SHORT = 16  # characters of a label


def write(file: IO[bytes], gathered: Gathered) -> bytes:
    """Write the report; the digest of everything that it is made of, in canonical JSON."""
    told = gathered.told
    digest = sha256(wire.canonical(told)).digest()
    paper = WordDocument(f"{told['plan']['title']['zh']}完成情况报告")
    paper.dated(_long_day(told["as_of"]))
    promised = [kpi for kpi in _kpis(told) if kpi["target"] is not None]
    _overall(paper, told, promised)
    _sections(paper, told)
    _split(paper, told, promised)
    _sources(paper, told)
    paper.foot(_foot(told, digest))
    paper.save(file)
    return digest


def _overall(paper: WordDocument, told: Answer, promised: Sequence[Answer]) -> None:
    paper.chapter("一、总体完成情况")
    reached = [kpi for kpi in promised if _is_reached(kpi)]
    without = [kpi for kpi in promised if kpi["value"] is None]
    where = f"（{glossary.value(told['district'])}）" if told["district"] else ""
    when = "全年" if told["period"] == str(told["plan"]["year"]) else f"{told['period']}时段"
    paper.text(
        f"{told['plan']['title']['zh']}共{len(told['items'])}项工作。{when}{where}，"
        f"设有目标的指标{len(promised)}项，其中已达目标{len(reached)}项，"
        f"未达目标{len(promised) - len(reached) - len(without)}项，尚无数据{len(without)}项。"
        + ("" if told["complete"] is not False else "部分数据尚不完整，原因见文末。")
    )
    listed = promised or list(_kpis(told))
    paper.table(
        "主要指标完成情况",
        ("代码", "指标", "目标", "完成", "完成百分比", "状态"),
        [
            (
                kpi["code"],
                kpi["title"]["zh"],
                _amount(kpi, "target"),
                _amount(kpi, "value"),
                _percent(kpi),
                _status(kpi),
            )
            for kpi in listed
        ],
        (1.2, 4.1, 2.8, 3.3, 2.1, 2.1),
        right="目标完成百分比",
    )
    if measured := [kpi for kpi in promised if kpi["percent"] is not None]:
        bars = [Bar(_label(kpi), kpi["code"], kpi["percent"], _percent(kpi)) for kpi in measured]
        paper.figure(chart.across(bars, unit="完成百分比（虚线为目标）", mark=100), "各项指标完成百分比")


def _sections(paper: WordDocument, told: Answer) -> None:
    paper.chapter("二、分项完成情况")
    for place, (code, title) in enumerate(told["sections"].items()):
        items = [item for item in told["items"] if item["section"] == code]
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


def _split(paper: WordDocument, told: Answer, promised: Sequence[Answer]) -> None:
    """By district and by month, each number of which there is anything there."""
    paper.chapter("三、分辖区和分月完成情况")
    drawn = 0
    for kpi in promised:
        unit = kpi["unit"]["zh"]
        if by_district := _bars(kpi, told["districts"], lambda part: (part["name"], part["code"])):
            paper.figure(chart.across(by_district, unit=unit), f"{kpi['title']['zh']}：分辖区（{unit}）")
        if by_month := _bars(kpi, told["months"], lambda part: (f"{int(part['month'][4:])}月", part["month"][4:])):
            paper.figure(chart.upright(by_month, unit=unit), f"{kpi['title']['zh']}：分月（{unit}）")
        drawn += bool(by_district or by_month)
    if not drawn:
        paper.text("所查时段内尚无可以分列的数据。")


def _sources(paper: WordDocument, told: Answer) -> None:
    paper.chapter("四、数据来源与完整性")
    paper.text(
        f"本报告由科协业务系统台账自动生成，数据截至{_moment(told['as_of'])}，"
        f"采用工作要点第{told['definition']}版。无数据与零分别列示；完成百分比不作封顶处理。"
    )
    if fresh := told["freshness"]:
        paper.table(
            "各业务系统最近一次数据",
            ("业务系统", "最近一次数据时间"),
            [(glossary.service(name), _moment(heard) if heard else NOTHING) for name, heard in fresh.items()],
            (6.0, 8.0),
        )
    if told["complete"]:
        paper.text("各业务系统数据均已比对，未发现缺失。")
    for reason in told["reasons"]:
        whose = reason.get("service") or reason.get("kpi")
        paper.text(f"{glossary.service(whose) if whose else '全部'}：{reason['zh']}。")


def _foot(told: Answer, digest: bytes) -> Iterator[str]:
    revision = "" if told["revision"] is None else f"　台账版本 {told['revision']}"
    yield f"截至 {told['as_of']}{revision}"
    yield f"数据摘要 SHA-256 {digest.hex()}"


def _kpis(told: Answer) -> Iterator[Answer]:
    for item in told["items"]:
        yield from item["kpis"]


def _done(item: Answer) -> str:
    """Its numbers and milestones; of one that has none, why nothing of it is counted."""
    said = [*(_said(kpi) for kpi in item["kpis"]), *(_reached(one) for one in item["milestones"])]
    return "\n".join(said) or (item["unmeasured"] or {"zh": NOTHING})["zh"]


def _reached(milestone: Answer) -> str:
    day = milestone["reached_on"]
    state = f"{_day(day)}完成" if day else column_labels.value("state", milestone["state"])
    return f"{milestone['title']['zh']}：{state}"


def _said(kpi: Answer) -> str:
    of_target = f"，为目标的{_percent(kpi)}" if kpi["percent"] is not None else ""
    return f"{kpi['code']}：{_amount(kpi, 'value')}{of_target}"


def _bars(kpi: Answer, parts: Sequence[Answer], named: Callable[[Answer], tuple[str, str]]) -> list[Bar]:
    """A bar for each of these parts of a number; none where there is nothing anywhere."""
    values = [part["values"].get(kpi["code"]) for part in parts]
    if not any(values):
        return []
    scale = kpi["unit"]["scale"]
    return [
        Bar(*named(part), (value or 0) / scale, "" if value is None else f"{value / scale:,.0f}")
        for part, value in zip(parts, values, strict=True)
    ]


def _is_reached(kpi: Answer) -> bool:
    """As its status says; of a part of the year, which has none, whether the number is there."""
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
    return NOTHING if value is None else f"{_number(value, kpi['unit']['scale'])}{kpi['unit']['zh']}"


def _number(value: int, scale: int) -> str:
    whole, rest = divmod(value, scale)
    return f"{value / scale:,.2f}" if rest else f"{whole:,}"


def _percent(kpi: Answer) -> str:
    return NOTHING if kpi["percent"] is None else f"{kpi['percent']:g}%"


def _label(kpi: Answer) -> str:
    title = kpi["title"]["zh"]
    return f"{kpi['code']} {title if len(title) <= SHORT else title[: SHORT - 1] + '…'}"


def _long_day(instant: str) -> str:
    day = datetime.fromisoformat(instant)
    return f"{day.year}年{day.month}月{day.day}日"


def _day(day: str) -> str:
    return f"{int(day[5:7])}月{int(day[8:10])}日"


def _moment(instant: str) -> str:
    return f"{_long_day(instant)}{instant[11:16]}"


def _numeral(number: int) -> str:
    """一 to 九十九."""
    tens, ones = divmod(number, 10)
    return (NUMERALS[tens - 1] if tens > 1 else "") + ("十" if tens else "") + (NUMERALS[ones - 1] if ones else "")
