"""A program of another bureau: stock nameko, nothing of ours. It calls the services and hears their events.

Reads AMQP_URI, RECORDER_TOKEN and VERIFIER_TOKEN from the environment and prints a line of JSON for all it learns.
"""

import eventlet

eventlet.monkey_patch()

import json  # noqa: E402
import os  # noqa: E402

from nameko.events import event_handler  # noqa: E402
from nameko.exceptions import RemoteError  # noqa: E402
from nameko.runners import ServiceRunner  # noqa: E402
from nameko.standalone.rpc import ClusterRpcProxy  # noqa: E402

CONFIG = {"AMQP_URI": os.environ["AMQP_URI"], "DECLARE_EVENT_EXCHANGES": False}  # they are ours: not for others to make
HEARD = eventlet.event.Event()


class AnotherBureau:
    name = "another_bureau"

    @event_handler("outreach", "audience_count.verified")
    def hear(self, event):
        say(heard=event["subject"], person_times=event["data"]["person_times"], by=event["actor"])
        HEARD.send()


def main():
    runner = ServiceRunner(CONFIG)
    runner.add_service(AnotherBureau)
    runner.start()
    with (
        ClusterRpcProxy(CONFIG, context_data={"token": os.environ["RECORDER_TOKEN"]}, timeout=20) as recorder,
        ClusterRpcProxy(CONFIG, context_data={"token": os.environ["VERIFIER_TOKEN"]}, timeout=20) as verifier,
    ):
        record_and_verify(recorder.outreach, verifier.outreach)
    with eventlet.Timeout(20):
        HEARD.wait()
    runner.stop()


def record_and_verify(recorder, verifier):
    venue = recorder.register_venue(venue_kind="hall", name="科技馆", district="511102")
    activity = recorder.create_activity(
        title="讲座", format="lecture", delivery="on_site", lead_org_id="another-bureau", district="511102",
        days=["2011-05-14"],
    )  # fmt: skip
    recorder.schedule_activity(activity_id=activity["id"], venue_id=venue["id"])
    recorder.start_activity(activity_id=activity["id"])
    count = recorder.record_count(
        activity_id=activity["id"], day="2011-05-14", mode="offline", method="sign_in", person_times=120
    )
    try:
        recorder.verify_count(count_id=count["id"])
    except RemoteError as error:
        say(error=error.exc_type, says=error.value)
    verified = verifier.verify_count(count_id=count["id"])
    say(state=verified["state"], version=verified["version"])
    say(listed=recorder.list_audience_counts(filter={"state": "verified"})["total"])


def say(**learnt):
    print(json.dumps(learnt), flush=True)


main()
