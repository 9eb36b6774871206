"""The file from which compose reads variables (`deploy/.env`): an operator's own lines, and those that `init` sets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ComposeVariables:
    """The variables of a file, which need not exist."""

    file: Path

    def get(self, name: str) -> str:
        """Return the value of a variable; empty where it is not set."""
        values = [line.partition("=")[2].strip() for line in self._lines() if line.startswith(f"{name}=")]
        return values[-1] if values else ""

    def set(self, name: str, value: str) -> None:
        """Set a variable; all other lines stay."""
        others = [line for line in self._lines() if not line.startswith(f"{name}=")]
        self.file.write_text("\n".join([*others, f"{name}={value}", ""]))

    def _lines(self) -> list[str]:
        return self.file.read_text().splitlines() if self.file.exists() else []
