"""One run after another in the same home; the six processes are stand-ins."""

import os
import signal
import socket
from contextlib import ExitStack

from tests.deploy.running import fetch, post, records_of, ups


def test_a_second_run_continues_with_the_data_of_the_first_even_on_other_ports(tmp_path):
    home = tmp_path / "home"
    with ups(home) as (first,):
        post(first, "kept")
        with records_of(first) as records:
            records.insert_one({"_id": "kept"})
        ports = [first.stack.part(name).port for name in ("broker", "database")]
        assert first.stop(signal.SIGINT) == 0

    with ExitStack() as taken:
        for port in ports:
            taken.enter_context(socket.socket()).bind(("127.0.0.1", port))
        with ups(home) as (second,):
            assert not {part.port for part in second.stack.parts} & set(ports)
            assert fetch(second) == "kept"
            with records_of(second) as records:
                assert list(records.find()) == [{"_id": "kept"}]


def test_what_a_killed_run_left_is_gone_when_the_next_one_runs(tmp_path):
    home = tmp_path / "home"
    with ups(home) as (first,):
        left = {part.name: part.process for part in first.stack.parts}
        os.kill(left["members"].pid, signal.SIGSTOP)  # it cannot end by itself
        first.stop(signal.SIGKILL)
        assert left["members"].is_alive

        with ups(home, AMQP_URI="amqp://elsewhere") as (second,):
            assert "members   was left by an earlier run and is ended now" in second.said
            assert not any(process.is_alive for process in left.values())
            assert second.stop(signal.SIGTERM) == 0
            assert not (home / "stack.json").exists()
