"""What `status` says of each trouble: the cause, once, in both languages, and none of its victims."""

import pytest

from gateway.operations.system_status import ahead
from gateway.operations.troubles import FULL, troubles
from services.contract.topology import SERVICES

WELL = {"clock": 1_305_338_400.0, "ahead": 0.0, "database_ahead": 0.0, "free": 10 * FULL, "down": [], "opens": None}
AWAY = {"away": True}
BROKER = {"answers": True, "blocked": None, "missing": []}
STATUS = {
    "services": dict.fromkeys(SERVICES, WELL),
    "gateway": {"clock": 1_305_338_400.0, "database_ahead": 0.0, "free": 10 * FULL},
    "queues": {"gateway.ledger": 0, "rpc-rural": 0, "rural.from.gateway": 0},
    "broker": BROKER,
}
ALL_AWAY = {"services": dict.fromkeys(SERVICES, AWAY)}
NO_QUEUES = {"queues": dict.fromkeys(STATUS["queues"])}


def services(**conditions):
    return {"services": STATUS["services"] | conditions}


def codes(**wrong):
    return [(one["code"], one.get("name") or one.get("service")) for one in troubles(STATUS | wrong)]


def test_where_all_is_well_nothing_is_said():
    assert troubles(STATUS) == []


@pytest.mark.parametrize(
    ("wrong", "cause", "says"),
    [
        (ALL_AWAY | NO_QUEUES | {"broker": BROKER | {"answers": False}}, ("broker_away", None), "does not answer"),
        (ALL_AWAY | {"broker": BROKER | {"blocked": "low on memory"}}, ("broker_blocked", None), "low on memory"),
        (ALL_AWAY | {"broker": BROKER | {"blocked": "low on disk"}}, ("broker_blocked", None), "low on disk"),
        ({"queues": STATUS["queues"] | {"gateway.ledger": None}}, ("missing", "gateway.ledger"), "./kexie provision"),
        ({"broker": BROKER | {"missing": ["awards.events"]}}, ("missing", "awards.events"), "./kexie provision"),
        (services(rural=AWAY), ("away", "rural"), "rural does not answer"),
        (services(rural=WELL | {"down": ["events"]}), ("deaf", "rural"), "tell the broker the new rights"),
        (services(rural=WELL | {"free": FULL - 1}), ("disk_full", "rural"), "499 MB left"),
        (services(awards=WELL | {"opens": False}), ("sealing_key", "awards"), "put the old `sealing_key` back"),
        (services(rural=WELL | {"ahead": -65.0, "database_ahead": 65.0}), ("clock", "rural"), "differs by -65 s"),
    ],
)
def test_a_trouble_is_named_alone_in_both_languages(wrong, cause, says):
    (trouble,) = troubles(STATUS | wrong)

    assert (trouble["code"], trouble.get("name") or trouble.get("service")) == cause
    assert says in trouble["en"]
    assert any("\u4e00" <= character <= "\u9fff" for character in trouble["zh"])


def test_a_service_whose_queue_is_gone_is_its_victim():
    gone = {"queues": STATUS["queues"] | {"rpc-rural": None}}
    deaf = {"queues": STATUS["queues"] | {"rural.from.gateway": None}}

    assert codes(**gone, **services(rural=AWAY)) == [("missing", "rpc-rural")]
    assert codes(**deaf, **services(rural=WELL | {"down": ["events"]})) == [("missing", "rural.from.gateway")]
    assert codes(**gone, **services(rural=AWAY, awards=AWAY)) == [("missing", "rpc-rural"), ("away", "awards")]


def test_where_all_clocks_but_the_gateways_agree_the_gateways_is_wrong():
    late = WELL | {"ahead": 30.0}

    assert codes(services=dict.fromkeys(SERVICES, late), gateway=STATUS["gateway"] | {"database_ahead": 30.0}) == [
        ("clock", "gateway")
    ]


def test_a_clock_differs_from_more_than_two_seconds_on():
    assert codes(**services(rural=WELL | {"ahead": 2.0, "database_ahead": -2.0})) == []
    assert codes(**services(rural=WELL | {"ahead": 2.1, "database_ahead": -2.1})) == [("clock", "rural")]


def test_the_time_that_a_call_takes_is_no_difference():
    assert ahead(10.0, sent=9.0, received=11.0) == 0.0
    assert ahead(12.5, sent=9.0, received=11.0) == 1.5
    assert ahead(8.0, sent=9.0, received=11.0) == -1.0
    assert ahead(None, sent=9.0, received=11.0) is None


def test_a_service_of_the_version_before_says_less_and_is_not_blamed():
    less = {"pending": 0}

    assert codes(services=dict.fromkeys(SERVICES, less)) == []
