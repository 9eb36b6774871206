"""How the services are run: everything on one machine by `./kexie`, or each by `python -m deploy.run`."""
