"""Secrets: key pairs, a certificate authority, and files that nobody else may read."""
