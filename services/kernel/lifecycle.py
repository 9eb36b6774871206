"""A lifecycle: the states of a record and the moves between them."""

from __future__ import annotations

from services.kernel.refusal import Refusal


class ForbiddenMove(Refusal, rule="X-12", zh="当前状态不允许这一操作"):
    """The record's state does not allow this."""


class Lifecycle:
    """States and the moves between them: `Lifecycle(recorded=("verified", "rejected"), verified=("closed",))`.

    A state without moves is terminal and refuses everything (X-12).
    """

    def __init__(self, **moves: tuple[str, ...]) -> None:
        self.moves = moves
        self.states = tuple(dict.fromkeys([*moves, *(state for targets in moves.values() for state in targets)]))

    @property
    def terminal(self) -> tuple[str, ...]:
        """The states that no move leaves."""
        return tuple(state for state in self.states if not self.moves.get(state))

    def move(self, state: str, to: str) -> str:
        """Return the new state; raises `ForbiddenMove` (X-12)."""
        if to not in self.moves.get(state, ()):
            raise ForbiddenMove(state=state, to=to)
        return to

    def require(self, state: str, *states: str) -> None:
        """Raise `ForbiddenMove` unless the state is one of these (X-12); for deeds that change no state."""
        if state not in states:
            raise ForbiddenMove(state=state, wanted="/".join(states))
