"""Filling a running stack with the demo year, and printing the plan's numbers.

The stack is that of the home, or the one that `AMQP_URI`, `GATEWAY_URL` and `TOKEN_PRIVATE_KEY` name.
"""

from __future__ import annotations

import json
import os
from typing import Any

import eventlet
from rich.console import Console
from rich.progress import Progress

from deploy.demo import permission
from deploy.demo.player import NotAsExpected, Player
from deploy.demo.progress_table import table
from deploy.demo.story import Story
from deploy.demo.year import stories
from deploy.local import http_client, stack_file
from deploy.local.home import Home
from deploy.local.home_keys import token_keys
from services.chassis.amqp import connect
from services.chassis.client import Caller
from services.chassis.settings import Settings
from services.contract.topology import LEDGER_QUEUE

SETTLED_WITHIN = 60.0  # seconds after the last command

console = Console()


def fill() -> int:
    """Send every command of the year, print the numbers, and return the exit code; nothing is sent where it may not."""
    home = Home.of_the_environment()
    keys, (amqp_uri, gateway_url) = token_keys(home), _addresses(home)
    settings = Settings(amqp_uri=amqp_uri, mongo_uri="", token_public_key=keys.public)
    caller = Caller(settings, "demo")
    reading = eventlet.spawn(caller.link.run)
    try:
        parts = stories()
        if refused := permission.ask(caller, keys.private, parts[0][0]):
            raise NotAsExpected(refused)
        _play(Player(caller, keys.private), parts)
        console.print(table(_settled(settings, gateway_url)))
    except NotAsExpected as error:
        console.print(f"The demo stopped: {error}", style="red", markup=False)
        return 1
    finally:
        caller.link.stop()
        reading.wait()
    return 0


def _addresses(home: Home) -> tuple[str, str]:
    """The addresses of the broker and of the gateway."""
    if "AMQP_URI" in os.environ:
        return os.environ["AMQP_URI"], os.environ["GATEWAY_URL"]
    addresses = stack_file.addresses(home)
    return addresses.amqp_uri, addresses.gateway_url


def _play(player: Player, parts: tuple[list[Story], ...]) -> None:
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("2011 in Leshan", total=sum(len(story.steps) for part in parts for story in part))
        for part in parts:
            player.play(part, after_each=lambda: progress.advance(task))


def _settled(settings: Settings, gateway_url: str) -> Any:
    """The plan's progress, once the ledger has taken in every event."""
    before: Any = None
    with eventlet.Timeout(SETTLED_WITHIN, NotAsExpected(f"the ledger did not settle within {SETTLED_WITHIN} s")):
        while True:
            now = _progress(gateway_url)
            if before and now["revision"] == before["revision"] and not _waiting(settings):
                return now
            before = now
            eventlet.sleep(1.5)  # longer than a relay takes to publish


def _progress(gateway_url: str) -> Any:
    with http_client.request(f"{gateway_url}/api/v1/plans/2011/progress", within=10) as response:
        return json.load(response)


def _waiting(settings: Settings) -> int:
    with connect(settings, "demo.look") as connection:
        return int(connection.default_channel.queue_declare(LEDGER_QUEUE.name, passive=True).message_count)
