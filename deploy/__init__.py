"""Running the services: on one machine by `./kexie`, in containers, or with systemd; and operating what runs."""
