"""From which states a command may be given, found by giving it to a record in each of them.

The service's own method runs over records that hold nothing but a state: its rule either refuses that state, by the
machine of the kind, or goes on. What happens after the machine was asked does not matter here.
"""

from contextlib import suppress
from dataclasses import dataclass
from unittest import mock

from services.awards.domain import judging_round, score_sheet
from services.awards.service import Awards
from services.chassis.fields import Flag, OneOf, Whole
from services.kernel import Lifecycle
from services.members.service import Members
from services.outreach.service import Outreach
from services.rural.service import Rural
from tests.contract.commands import METHODS

SERVICES = {service.name: service for service in (Awards, Members, Outreach, Rural)}


RULES = {
    "close_round": lambda record: judging_round.close(record, of=Anything()),
    "resolve_tie": lambda record: judging_round.resolve_tie(record, of=Anything(), category_code="a", vote=Anything()),
    "submit_score": lambda record: score_sheet.score(
        record, values={}, rubric=Anything(), conflicts=Anything(), round_closed=False, by="u-1"
    ),
}
"""Rules whose commands need more than anything before they ask them."""

MANY = 100  # readings of one record: a rule goes round in a circle, as nothing ends here


class Own(str):
    """The state of the record that the command is about."""


class Anything:
    """Takes part in whatever a rule does: every attribute and call is anything, and equal to all others or to none."""

    is_equal = True

    def __init__(self, **known):
        self.__dict__.update(known)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything()

    def __call__(self, *_, **__):
        return Anything()

    def __iter__(self):
        return iter(())

    def __getitem__(self, _):
        return Anything()

    def __contains__(self, _):
        return not Anything.is_equal

    def __bool__(self):
        return Anything.is_equal

    def __eq__(self, other):
        return Anything.is_equal

    def __ne__(self, other):
        return not Anything.is_equal

    def __lt__(self, _):
        return False

    __le__ = __gt__ = __ge__ = __lt__

    def __hash__(self):
        return 0

    def __and__(self, _):
        return Anything()

    __or__ = __sub__ = __rand__ = __ror__ = __rsub__ = __and__

    def __index__(self):
        return 1


@dataclass(init=False, eq=False)
class Record(Anything):
    """A record that holds nothing but its state, and keeps that where a rule replaces anything else."""

    state: str

    def __init__(self, state, **known):
        super().__init__(**{"programme_kind": "youth", **known}, state=state)


class Over:
    """Records of one kind, all in one state."""

    def __init__(self, state):
        self.record, self.times = Record(state), 0

    def get(self, _):
        self.times += 1
        assert self.times < MANY
        return self.record

    def find(self, **_):
        return []

    def exists(self, **_):
        return not Anything.is_equal

    def versions(self, **_):
        return {}

    def change(self, _, decide):
        return decide(self.record)

    put = change

    def add(self, *_):
        return Anything()

    def id_of(self, given):
        return given


def found_states(command):
    """The states in which the rule goes on, of those in which it asks the machine; None where it never asks."""
    service, method = SERVICES[command.partition(".")[0]], METHODS[command]
    found = {state: [_tried(service, method, state, how) for how in _ways(method)] for state in method.kind.states}
    if not any(is_allowed is not None for tried in found.values() for is_allowed in tried):
        return None
    return tuple(state for state, tried in found.items() if any(tried))


def _ways(method):
    """The input with each of its choices in turn; everything else is anything."""
    choices = {name: _choices(field) for name, field in method.entrypoint.schema.fields.items()}
    usual = {name: some[0] for name, some in choices.items()} | {"by": Anything()}
    return [{**usual, name: choice} for name, some in choices.items() for choice in some]


def _choices(field):
    if isinstance(field, OneOf):
        return list(field.choices)
    if isinstance(field, Flag):
        return [True, False]
    return [1] if isinstance(field, Whole) else [Anything()]


def _tried(service, method, state, how):
    """Whether the machine lets the command pass; None where nobody asks it, whatever equals what."""
    answers = []
    for Anything.is_equal in (True, False):
        answers += _answers(service, method, Own(state), how)
    return all(answers) if answers else None


def _answers(service, method, state, how):
    answers, (move, require) = [], (Lifecycle.move, Lifecycle.require)

    def ask(real, machine, given, *to):
        if not isinstance(given, Own):
            return to[0] if real is move else None
        answers.append(False)
        passed = real(machine, given, *to)
        answers[-1] = True
        return passed

    with (
        mock.patch.object(Lifecycle, "move", lambda *asked: ask(move, *asked)),
        mock.patch.object(Lifecycle, "require", lambda *asked: ask(require, *asked)),
        suppress(Exception),
    ):
        _call(service, method, state, how)
    return answers


def _call(service, method, state, how):
    running = object.__new__(service)
    for attribute, kind in service.kinds.items():
        setattr(running, attribute, Over(state if kind is method.kind else "elsewhere"))
    running.clock, running.sealing = Anything(), Anything()
    if rule := RULES.get(method.name):
        rule(Record(state))
    else:
        getattr(running, method.name)(**how)
