"""Logs of a campaign: each command with its outcome, and the state that follows from them."""
