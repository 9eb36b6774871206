"""The commands of `./kexie`: through the gateway of a running stack, and for the containers of a site."""
