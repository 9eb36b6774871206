"""How a state machine is gone over: one command from one state, done or refused; it knows no service."""

import pytest

from services.kernel import ForbiddenMove


def follows_the_machine(lifecycle, state, to, do, *, happened):
    """Does what leads from `state` to `to` if the machine has that move, else sees it refused for that state (X-12)."""
    if to in lifecycle.moves.get(state, ()):
        change = do()
        assert (change.record.state, change.happened) == (to, happened)
    else:
        with pytest.raises(ForbiddenMove, match=f"state={state}"):
            do()
