"""Sense and nonsense for every operation of a gateway's OpenAPI document, in every role; the same for the same seed.

A test goes once through all of them; longer with FUZZ_SECONDS, elsewhere with FUZZ_SEED. Against a stack that runs
(`./kexie up`), which it fills with nonsense, or in one role only:

    eval "$(./kexie env)"
    .venv/bin/python -m tests.gateway.api.fuzz "$GATEWAY_URL" --token operator="$KEXIE_TOKEN" --seconds 3600 --seed 7

It is a program of its own because Schemathesis and Hypothesis know nothing of eventlet. What it finds, once for each
operation and kind of failure, makes it exit with 1.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import re
import sys
import time
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
MORE = 1  # that makes sense, for each operation in each round, by one who may; beside what is sent in each role
NONSENSE = 1  # by one who may, too
OFTEN = 0.8  # of what is sent is about things that are there
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
SHOWN = 600  # characters of a failure


@dataclass
class Known:
    """Ids that answers have shown, by the field in which they were sent and by the address of their list."""

    chance: random.Random
    words: dict[str, list[str]]
    ids: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def learn(self, sent: Any, response: requests.Response) -> None:
        if response.status_code == 200 and (at := response.headers.get("Location")):
            made = response.json()["id"]
            self.ids[at.rpartition("/")[0]].append(made)
            for name, value in sent.items() if isinstance(sent, dict) else ():
                if name.endswith("_id") and value == made:
                    self.ids[name].append(made)

    def in_address(self, path: str, values: dict[str, Any]) -> dict[str, Any]:
        return {name: self._one_of(self._at(path, name), value) for name, value in values.items()}

    def in_body(self, body: Any) -> Any:
        """The same with days of the year and ids that are there; a new record's id often stays as it is."""
        if not isinstance(body, dict):
            return body
        return {name: self._in_field(name, value) for name, value in body.items()}

    def _in_field(self, name: str, value: Any) -> Any:
        if isinstance(value, str) and DAY.fullmatch(value):
            return self._one_of([f"2011-{self.chance.randint(1, 12):02}-{self.chance.randint(1, 28):02}"], value)
        return self._one_of(self.ids[name], value) if name.endswith("_id") else value

    def _at(self, path: str, name: str) -> list[str]:
        return self.ids[path.partition("/{")[0]] if name == "id" else self.words.get(name, [])

    def _one_of(self, known: list[str], value: Any) -> Any:
        return self.chance.choice(known) if known and self.chance.random() < OFTEN else value


class Fuzz:
    """Goes round after round through all operations."""

    def __init__(self, url: str, tokens: dict[str, str], number: int, part: str) -> None:
        self._schema = schemathesis.openapi.from_url(f"{url}/openapi.json").include(path_regex=f"^{part}")
        found = [one for found in self._schema.get_all_operations() if not _never_ends(one := found.ok())]
        self._operations = sorted(found, key=lambda one: one.method.upper() == "GET")  # what is made can be read then
        self._tokens, self._seeds = tokens, itertools.count(number)
        words = {"year": ["2011"], "code": ["K1", "K2", "K3"], "service": ["awards"], "kind": ["external_result"]}
        self._known = Known(random.Random(number), words)
        self._session = requests.Session()
        self.statuses: Counter[int] = Counter()
        self.failures: dict[tuple[str, str], str] = {}

    @property
    def operations(self) -> int:
        """How many there are."""
        return len(self._operations)

    def go(self, seconds: float) -> int:
        """At least once through all of them; how many rounds it were."""
        until, rounds = time.monotonic() + seconds, 0
        while not rounds or time.monotonic() < until:
            for operation in self._operations:
                raw = operation.definition.raw
                who_may = [role for role in raw.get("x-roles", ()) if role in self._tokens] or list(self._tokens)
                who_may_not = [role for role in self._tokens if role not in who_may]
                turns = itertools.cycle(who_may)
                of_each = [who_may] if operation.method.upper() == "GET" else [[role] for role in who_may]
                more = [[next(turns)] for _ in range(MORE)]
                each_role = [who_may_not, *of_each] if who_may_not else of_each
                self._try(operation, GenerationMode.POSITIVE, [*each_role, *more])
                self._try(operation, GenerationMode.NEGATIVE, [[next(turns)] for _ in range(NONSENSE)])
            rounds += 1
        return rounds

    def _try(self, operation: Any, mode: GenerationMode, turns: list[list[str]]) -> None:
        """Send a case for each turn, in all the roles of the turn: to make one takes longer than to answer it."""
        left = iter(turns)

        @seed(next(self._seeds))
        @settings(
            max_examples=len(turns), deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy(generation_mode=mode))
        def send(case: Any) -> None:
            for role in next(left, turns[-1]):
                self._send(case, role, sensible=mode is GenerationMode.POSITIVE)

        with suppress(Unsatisfiable):  # nothing that is sent there can be nonsense
            send()

    def _send(self, case: Any, role: str, *, sensible: bool) -> None:
        if sensible:
            case.path_parameters = self._known.in_address(case.operation.path, case.path_parameters or {})
            case.body = self._known.in_body(case.body)
        response = case.call(
            session=self._session, headers={"Authorization": f"Bearer {self._tokens[role]}"}, timeout=60
        )
        self.statuses[response.status_code] += 1
        if sensible:
            self._known.learn(case.body, response)
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as found:
            for one in found.exceptions:
                self._note(case, role, one)
        except Failure as one:
            self._note(case, role, one)

    def _note(self, case: Any, role: str, failure: Any) -> None:
        key = (case.operation.label, type(failure).__name__)
        if key not in self.failures:
            self.failures[key] = f"as {role}: {case.as_curl_command()[:SHOWN]}\n  {str(failure)[:SHOWN]}"
            sys.stderr.write(f"{key}: {self.failures[key]}\n")


def _never_ends(operation: Any) -> bool:
    """Is it a stream of events?"""
    return "text/event-stream" in json.dumps(operation.definition.raw.get("responses", {}))


def main() -> None:
    given_ = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given_.add_argument("url")
    given_.add_argument("--token", action="append", default=[], metavar="ROLE=TOKEN")
    given_.add_argument("--seconds", type=float, default=0)
    given_.add_argument("--seed", type=int, default=2011)
    given_.add_argument("--part", default="", help="what the addresses begin with, as a pattern; all without it")
    asked = given_.parse_args()

    fuzz = Fuzz(asked.url, dict(one.split("=", 1) for one in asked.token), asked.seed, asked.part)
    rounds = fuzz.go(asked.seconds)

    told = json.dumps(
        {"rounds": rounds, "operations": fuzz.operations, "statuses": dict(sorted(fuzz.statuses.items()))}
    )
    sys.stdout.write(f"{told}\n")
    sys.exit(bool(fuzz.failures))


if __name__ == "__main__":
    main()
