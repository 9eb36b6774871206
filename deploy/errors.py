"""The error that an operator reads in one line."""

import click


class CommandFailed(click.ClickException):
    """An error that the operator has to decide or repair: its message is printed, and the exit code is 1."""
