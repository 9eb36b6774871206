"""Which process `status` names where several are not ready: the one that the others wait for."""

from types import SimpleNamespace as Part

from deploy.local.process_status import causes


def test_the_broker_is_named_and_not_the_services_that_wait_for_it():
    broker, rural, gateway = Part(name="broker", stage=1), Part(name="rural", stage=2), Part(name="gateway", stage=2)

    assert causes([gateway, broker, rural]) == [broker]
    assert causes([gateway, rural]) == [gateway, rural]
    assert causes([]) == []
