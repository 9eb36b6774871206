"""Requests of outside systems: what was granted is done and answered to any client, all else is refused by name."""

import pytest
from nameko.exceptions import RemoteError
from nameko.standalone.rpc import ClusterRpcProxy

from services.contract.topology import RPC_EXCHANGE
from tests.gateway.door.town import HALL


def test_a_stock_nameko_proxy_calls_what_was_granted_and_is_told_by_name_what_was_not(office):
    with ClusterRpcProxy({"AMQP_URI": office.uri}, context_data={"token": office.token}, timeout=10) as proxy:
        made = proxy.outreach.register_venue(**HALL)

        assert proxy.outreach.get_venue(id=made["id"])["version"] == 1
        with pytest.raises(RemoteError, match="outreach.suspend_venue is not granted") as refused:
            proxy.outreach.suspend_venue(venue_id=made["id"])
    assert refused.value.exc_type == "NotAllowed"


@pytest.mark.parametrize("how", ["anonymous", "named", "bound", "direct"])
def test_an_answer_finds_any_queue_that_a_client_may_name(client, how):
    queue = {"direct": "amq.rabbitmq.reply-to", "anonymous": "", "named": "answers", "bound": "answers.bound"}[how]
    answers = []
    if how == "direct":
        client.channel.basic_consume(queue, no_ack=True, callback=answers.append)
    else:
        queue = client.queue(queue)
        client.channel.basic_consume(queue, no_ack=True, callback=answers.append)
    if how == "bound":
        client.channel.queue_bind(queue, exchange=RPC_EXCHANGE, routing_key="some-key")

    client.send("outreach.list_venues", reply_to="some-key" if how == "bound" else queue, correlation_id="c-1")

    while not answers:
        client.connection.drain_events(timeout=10)
    assert answers[0].properties["correlation_id"] == "c-1"
    assert b'"error":null' in bytes(answers[0].body)
