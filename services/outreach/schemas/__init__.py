"""Input of each command of outreach, in modules named like those of the commands."""
