"""Files that only their owner may read, and where this checkout is."""

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def write_privately(file: Path, text: str) -> None:
    """Replace the file in one step; only its owner may read it, at every moment."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as sheet:
        sheet.write(text)
    draft.replace(file)
