"""Who hears what: the table that relays declare by, held against the code and the contract."""

import importlib
import re
from pathlib import Path

import pytest

import services
from services.chassis.listener import Listener
from services.contract import EVERY_KIND, KINDS
from services.contract.topology import (
    HEARS,
    LEDGER_QUEUE,
    SERVICES,
    SOURCES,
    dead_letter_queue,
    exchange,
    is_heard,
    policies,
    queues,
    queues_of,
)

HOMES = sorted(path.parent.name for path in Path(services.__file__).parent.glob("*/service.py"))


def listened(name):
    """What the code of a service listens to."""
    if name == "chassis":
        return set()
    module = importlib.import_module(f"services.{name}.service")
    classes = [one for one in vars(module).values() if isinstance(one, type) and getattr(one, "name", None) == name]
    return {
        f"{entrypoint.source}.{entrypoint.kind.routing_key(happened)}"
        for cls in classes
        for method in dir(cls)
        for entrypoint in getattr(getattr(cls, method), "nameko_entrypoints", ())
        if isinstance(entrypoint, Listener)
        for happened in entrypoint.happenings
    }


def test_the_services_are_the_folders_with_a_service():
    assert set(HOMES) - {"chassis"} == set(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_hears_what_its_code_listens_to(name):
    assert set(HEARS.get(name, ())) == listened(name)


@pytest.mark.parametrize("line", [line for lines in HEARS.values() for line in lines])
def test_whatever_is_heard_is_announced_by_somebody(line):
    service, kind, happened = line.split(".")

    assert happened in EVERY_KIND[f"{service}.{kind}"].happenings


def test_a_service_has_one_queue_for_each_source_it_hears():
    for listener, lines in HEARS.items():
        sources = {line.partition(".")[0] for line in lines}

        assert {queue.name for queue in queues_of(listener)} == {f"{listener}.from.{source}" for source in sources}


def test_the_ledger_hears_everything_from_everybody_one_consumer_at_a_time():
    assert set(LEDGER_QUEUE.bindings) == {(exchange(service), "#") for service in SERVICES}
    assert LEDGER_QUEUE.single_active_consumer


def test_every_service_hears_which_tokens_hold_no_longer():
    assert all("gateway.token.revoked" in HEARS[service] for service in SERVICES)


def test_what_the_gateway_publishes_waits_only_where_somebody_hears_it():
    assert is_heard("awards", "external_result.reported")
    assert is_heard("gateway", "token.revoked")
    assert not is_heard("gateway", "token.issued")


def test_what_is_counted_is_published_by_a_service_and_every_queue_stands_once():
    assert {kind.service for kind in KINDS.values()} == set(SERVICES)
    assert {kind.service for kind in EVERY_KIND.values()} == set(SOURCES)
    assert len({queue.name for queue in queues()}) == len(queues())


def test_every_queue_has_one_policy_and_those_of_dead_letters_have_none():
    dead = {dead_letter_queue(reader).name for reader in ("gateway", *HEARS)}
    names = {queue.name for queue in queues()} | {f"rpc-{service}" for service in SERVICES}

    for name in names:
        fitting = [policy["name"] for policy in policies("/") if re.search(policy["pattern"], name)]
        reader = "gateway" if name == LEDGER_QUEUE.name else name.partition(".")[0]
        assert fitting == ([] if name in dead else ["requests"] if "rpc-" in name else [f"{reader} dead letters"])
