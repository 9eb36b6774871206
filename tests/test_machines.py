"""Every state machine of a service has a test over all of its states, so that a new one cannot be forgotten."""

import ast
import importlib
from pathlib import Path

import services
from services.kernel import Lifecycle

SERVICES = Path(services.__file__).parent
TESTS = Path(__file__).parent

OVER_ALL = ("parametrize", "st.sampled_from")
"""What takes every state of a machine in turn, or whichever of them."""


def machines():
    """The machines of all services, by module and name."""
    found = {}
    for path in sorted(SERVICES.glob("*/domain/*.py")):
        module = importlib.import_module(f"services.{path.parts[-3]}.domain.{path.stem}")
        found |= {f"{module.__name__}.{name}": one for name, one in vars(module).items() if isinstance(one, Lifecycle)}
    return found


def gone_over():
    """The machines over whose states some test of a rule goes."""
    found = set()
    for path in sorted(TESTS.glob("*/test_*.py")):
        asked = set(states_asked_for(ast.parse(path.read_text(encoding="utf-8"))))
        if asked:
            module = importlib.import_module(f"tests.{path.parent.name}.{path.stem}")
            values = [eval(one, vars(module)) for one in asked]  # noqa: S307 - our own tests
            found |= {id(one) for one in values if isinstance(one, Lifecycle)}
    return found


def states_asked_for(tree):
    """Whose `states` a file's tests go over, all of them, as it says it."""
    calls = (one for one in ast.walk(tree) if isinstance(one, ast.Call) and ast.unparse(one.func).endswith(OVER_ALL))
    for argument in (argument for call in calls for argument in call.args):
        for one in argument.elts if isinstance(argument, ast.List) else [argument]:
            value = one.value if isinstance(one, ast.Starred) else one
            if isinstance(value, ast.Attribute) and value.attr == "states":
                yield ast.unparse(value.value)


def test_every_machine_has_a_test_that_goes_over_all_of_its_states():
    covered = gone_over()

    assert len(machines()) > 20
    assert [name for name, machine in machines().items() if id(machine) not in covered] == []


def test_what_goes_over_all_states_is_found_and_what_goes_over_some_is_not():
    source = """
@pytest.mark.parametrize("state", activity.LIFECYCLE.states)
@pytest.mark.parametrize("state", [None, *LIFECYCLE.states])
@pytest.mark.parametrize("state", [one for one in PART_LIFECYCLE.states if one != "lapsed"])
def test_it(): pass
"""

    assert list(states_asked_for(ast.parse(source))) == ["activity.LIFECYCLE", "LIFECYCLE"]
