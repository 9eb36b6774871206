"""The rules of members; pure."""
