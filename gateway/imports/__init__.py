"""Imports: a clerk's sheet becomes commands, row by row, through restarts of the gateway."""
