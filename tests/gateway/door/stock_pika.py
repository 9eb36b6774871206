"""A program of an outside system in pika: it calls with a queue without a name and with direct reply-to, and hears.

Reads AMQP_URI and TOKEN from the environment and prints a line of JSON for all it learns.
"""

import json
import os
import uuid

import pika

connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URI"]))
channel = connection.channel()


def call(method, replies, **arguments):
    answers = []
    channel.basic_consume(replies, lambda *message: answers.append(message), auto_ack=True, consumer_tag="answers")
    properties = pika.BasicProperties(
        content_type="application/json",
        reply_to=replies,
        correlation_id=str(uuid.uuid4()),
        headers={"nameko.token": os.environ["TOKEN"]},
    )
    channel.basic_publish("nameko-rpc", method, json.dumps({"args": [], "kwargs": arguments}), properties)
    while not answers:
        connection.process_data_events(time_limit=20)
    channel.basic_cancel("answers")
    _, _, answered, body = answers[0]
    assert answered.correlation_id == properties.correlation_id
    return json.loads(body)


events = channel.queue_declare("", exclusive=True).method.queue
channel.queue_bind(events, "outreach.events", "venue.*")
made = call(
    "outreach.register_venue", channel.queue_declare("", exclusive=True).method.queue,
    venue_kind="hall", name="科技馆", district="511102",
)  # fmt: skip
print(json.dumps({"registered": made["result"]["id"]}), flush=True)
got = call("outreach.get_venue", "amq.rabbitmq.reply-to", id=made["result"]["id"])
print(json.dumps({"version": got["result"]["version"]}), flush=True)
refused = call("outreach.open_campaign", "amq.rabbitmq.reply-to")
print(json.dumps({"refused": refused["error"]["exc_type"]}), flush=True)
for _, _, body in channel.consume(events, auto_ack=True, inactivity_timeout=20):
    print(json.dumps({"heard": json.loads(body)["subject"]}), flush=True)
    break
connection.close()
