"""Input of each command of awards, in modules named like those of the commands."""
