"""How the services are run: on one machine by `./kexie`, or elsewhere by compose."""
