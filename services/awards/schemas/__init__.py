"""What comes in with each command of awards, in modules named like those of the commands."""
