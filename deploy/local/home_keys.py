"""The keys of a stack on this machine: from the environment, else made once in its home."""

import os

from deploy.errors import CommandFailed
from deploy.local.home import Home
from deploy.secrets.keys import Keys, new_private_key, new_sealing_key, of_setting

SEALING_FILE = "sealing.key"


def token_keys(home: Home) -> Keys:
    """Return `TOKEN_PRIVATE_KEY` where it is set, else the home's own key, made once."""
    given = os.environ.get("TOKEN_PRIVATE_KEY")
    if given:
        return Keys(of_setting(given))
    home.make()
    return Keys(home.secret("token.pem", new_private_key))


def require_sealing_key(home: Home) -> None:
    """Make the sealing key before there are data; fail where it is gone and they are not: a new one opens nothing."""
    file = home.folder / SEALING_FILE
    may_have_sealed = (home.folder / "database.password").exists()  # 0.1 had none, and sealed nothing
    if may_have_sealed and not (file.exists() or os.environ.get("SEALING_KEY")):
        raise CommandFailed(
            f"{file} is gone, and nothing that was sealed can be opened with a new key: put its copy back. "
            f"Where there is none, remove {home.folder} and begin anew."
        )
    sealing_key(home)


def sealing_key(home: Home) -> str:
    """Return `SEALING_KEY` where it is set, else the home's own key, made once."""
    given = os.environ.get("SEALING_KEY")
    if given:
        return given
    home.make()
    return home.secret(SEALING_FILE, new_sealing_key)
