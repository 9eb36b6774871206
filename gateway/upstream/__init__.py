"""The services behind the gateway: forwarded calls, accepted commands, descriptions and dead-letter counts."""
