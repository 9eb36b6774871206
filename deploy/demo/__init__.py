"""The demo year: 2011 in Leshan as a list of commands, and the one that gives them."""
