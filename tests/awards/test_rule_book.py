"""The rule book's table of contents has every module of it."""

from pathlib import Path

from services.awards import domain


def test_every_module_of_the_rules_stands_in_the_order_of_a_contest():
    modules = {path.stem for path in Path(domain.__file__).parent.glob("*.py")} - {"__init__"}
    listed = [name.strip(",") for line in domain.__doc__.splitlines()[2:] for name in line[16:].split()]

    assert sorted(listed) == sorted(modules)
