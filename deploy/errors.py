"""What goes wrong for an operator, told in one line."""

import click


class Trouble(click.ClickException):
    """Something that the operator has to decide or repair; the command ends with exit code 1."""
