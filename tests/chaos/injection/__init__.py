"""Faults built into processes from outside: crash points and mutants."""
