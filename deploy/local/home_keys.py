"""The keys of a stack on this machine: from the environment, else made once in its home."""

import os

from deploy.local.home import Home
from deploy.secrets.keys import Keys, new_private_key, new_sealing_key, of_setting


def token_keys(home: Home) -> Keys:
    """Return `TOKEN_PRIVATE_KEY` where it is set, else the home's own key, made once."""
    given = os.environ.get("TOKEN_PRIVATE_KEY")
    if given:
        return Keys(of_setting(given))
    home.make()
    return Keys(home.secret("token.pem", new_private_key))


def sealing_key(home: Home) -> str:
    """Return `SEALING_KEY` where it is set, else the home's own key, made once."""
    given = os.environ.get("SEALING_KEY")
    if given:
        return given
    home.make()
    return home.secret("sealing.key", new_sealing_key)
