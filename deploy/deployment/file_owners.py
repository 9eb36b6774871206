"""Files that containers read: those of the checkout are open to every user, and a site's belong to the containers'.

Both depend on the shell of whoever made them: on its umask, and on who copied a key back.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import Path

from deploy.errors import CommandFailed

MOUNTED = ("rabbitmq.conf", "rabbitmq.cluster.conf", "watching")
"""Files and folders of `deploy/` that containers read as users of their own; none has a secret."""
FOR_FILES, FOR_FOLDERS = 0o444, 0o555


def open_to_containers(folder: Path) -> None:
    """Let every user read the mounted files of this folder, whatever the umask was when they were checked out."""
    for name in MOUNTED:
        for path in (folder / name, *(folder / name).rglob("*")):
            wanted = FOR_FOLDERS if path.is_dir() else FOR_FILES
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & wanted != wanted:
                _change_mode(path, mode | wanted)


def require_owner(files: Iterable[Path], user: int) -> None:
    """Fail where one of these files does not belong to this user, who alone may read them."""
    for file in files:
        if (owner := file.stat().st_uid) != user:
            raise CommandFailed(
                f"{file} belongs to user {owner}, and the containers run as {user}: `sudo chown {user} {file}`."
            )


def _change_mode(path: Path, mode: int) -> None:
    try:
        path.chmod(mode)
    except PermissionError:
        owner = path.stat().st_uid
        raise CommandFailed(
            f"{path} belongs to user {owner}: `sudo chmod {mode:o} {path}` lets containers read it."
        ) from None
