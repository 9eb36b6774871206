"""HOW IT IS CARRIED: settings, clock, records in MongoDB, relay, listener, RPC, logs, health and the runner."""
