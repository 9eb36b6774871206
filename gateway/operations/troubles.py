"""Troubles of the whole system: causes with the next step, in the order in which an operator mends them.

Only causes: a service that cannot be reached because the broker takes nothing is no trouble of its own, nor is one that
hears nothing because its queue is gone. Pure: the status is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any

from services.contract.topology import RPC_EXCHANGE, SERVICES, dead_letter_queue, exchange, queues_of, rpc_queue

CLOCKS_DIFFER = 2.0  # seconds; tokens, deadlines and sessions are judged by each machine's own clock
FULL = 500_000_000  # bytes; the broker takes nothing below the same

Status = Mapping[str, Any]
Trouble = dict[str, Any]


def troubles(status: Status) -> list[Trouble]:
    """Return the causes of what is wrong, the first one first; none where all is well."""
    return [*(_of_broker(status["broker"]) or _of_services(status)), *_of_machines(status), *_of_key(status)]


def _of_broker(broker: Status) -> list[Trouble]:
    """Why no service can be asked at all."""
    if not broker["answers"]:
        return [_trouble("broker_away", "消息代理无响应", "The broker does not answer: start it, or see its log.")]
    if reason := broker["blocked"]:
        en = f"The broker takes no messages ({reason}): free memory or disk on its machine; then all goes on by itself."
        return [_trouble("broker_blocked", f"消息代理停止接收消息（{reason}），请在其主机上释放内存或磁盘", en)]
    return []


def _of_services(status: Status) -> Iterator[Trouble]:
    """What is missing at the broker, and services that are away or hear nothing for another reason."""
    missing = [*status["broker"]["missing"], *(name for name, length in status["queues"].items() if length is None)]
    for name in missing:
        en = f"{name} is not there at the broker: `./kexie provision`, or the site's (deploy/README.md); then `audit`."
        yield _trouble("missing", f"消息代理中缺少 {name}，请重新预配后比对", en, name=name)
    for service, condition in status["services"].items():
        if _is_victim(service, missing):
            continue
        if condition.get("away"):
            en = f"{service} does not answer: start it, or see its log."
            yield _trouble("away", f"{service} 无响应，请启动该服务或查看其日志", en, service=service)
        elif condition.get("down"):
            en = f"{service} hears nothing: its log says why. An upgrade has to tell the broker the new rights."
            yield _trouble(
                "deaf", f"{service} 收不到消息，原因见其日志；升级后须向消息代理导入新权限", en, service=service
            )


def _is_victim(service: str, missing: list[str]) -> bool:
    """True where what is missing is what this service hears or publishes."""
    queues = (*queues_of(service), dead_letter_queue(service))
    return not {RPC_EXCHANGE, exchange(service), rpc_queue(service), *(one.name for one in queues)}.isdisjoint(missing)


def _of_machines(status: Status) -> Iterator[Trouble]:
    """Clocks that differ from most others, and disks that are full."""
    clocks = dict(_clocks(status))
    usual = median(clocks.values()) if clocks else 0.0
    for name, ahead in clocks.items():
        if abs(differs := ahead - usual) > CLOCKS_DIFFER:
            en = f"The clock of {name} differs by {differs:+.0f} s: have its machine synchronise it (NTP)."
            yield _trouble("clock", f"{name} 的时钟相差 {differs:+.0f} 秒，请同步（NTP）", en, name=name)
    for name, condition in _conditions(status):
        free = condition.get("free")
        if free is not None and free < FULL:
            en = f"The disk of the database of {name} has {free // 1_000_000:,} MB left: free space before writes fail."
            zh = f"{name} 数据库所在磁盘仅余 {free // 1_000_000:,} MB，请尽快清理"
            yield _trouble("disk_full", zh, en, name=name)


def _clocks(status: Status) -> Iterator[tuple[str, float]]:
    """How far each clock is ahead of the gateway's own."""
    for name, condition in _conditions(status):
        ahead, database_ahead = condition.get("ahead"), condition.get("database_ahead")
        if ahead is not None:
            yield name, ahead
        if ahead is not None and database_ahead is not None:
            yield f"the database of {name}", ahead + database_ahead


def _conditions(status: Status) -> list[tuple[str, Status]]:
    own = {**status["gateway"], "ahead": 0.0} if "clock" in status["gateway"] else status["gateway"]
    return [*status["services"].items(), ("gateway", own)]


def _of_key(status: Status) -> Iterator[Trouble]:
    """A sealing key that does not open what was sealed before."""
    for service in SERVICES:
        if status["services"].get(service, {}).get("opens") is False:
            en = f"The sealing key of {service} does not open what was sealed before: put the old `sealing_key` back."
            yield _trouble("sealing_key", f"{service} 的密封密钥打不开原有密封内容，请放回原密钥", en, service=service)


def _trouble(code: str, zh: str, en: str, **about: str) -> Trouble:
    return {"code": code, "zh": zh, "en": en, **about}
