"""`./kexie deploy try`: the containers of a site under load, while they are killed, replaced, moved and upgraded."""
