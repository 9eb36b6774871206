"""Refusals: the association's rules say no, and say which rule."""

from __future__ import annotations

from typing import Any, ClassVar

REFUSALS: list[type[Refusal]] = []
"""Every refusal, so that a test can check that each rule has a test of its own."""


class Refusal(Exception):
    """A business "no": the class is the rule, the keyword arguments are the things involved.

    The docstring is the rule in English in one sentence, `zh` in Chinese; both reach the caller.
    """

    rule: ClassVar[str]
    zh: ClassVar[str]

    def __init_subclass__(cls, *, rule: str, zh: str) -> None:
        cls.rule = rule
        cls.zh = zh
        REFUSALS.append(cls)

    def __init__(self, **involved: Any) -> None:
        super().__init__(f"{self.rule}: {self.en}{_listed(involved)}")
        self.involved = involved

    @property
    def en(self) -> str:
        """The rule in English."""
        return (self.__doc__ or "").strip()


def _listed(involved: dict[str, Any]) -> str:
    return f" ({', '.join(f'{name}={value}' for name, value in involved.items())})" if involved else ""
