"""Files that only their owner may read, and the folder of this checkout."""

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def write_privately(file: Path, text: str) -> None:
    """Replace a file in one step; at every moment only its owner may read it."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file_:
        file_.write(text)
    draft.replace(file)
