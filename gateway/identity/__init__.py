"""Callers of the gateway: accounts, passwords, sessions, API tokens and the audit trail."""
