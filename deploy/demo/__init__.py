"""The demo year: 2011 in Leshan as a list of commands, and a player that sends them."""
