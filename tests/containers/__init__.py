"""`./kexie deploy try`: kill every container in turn under load, and count what was accepted."""
