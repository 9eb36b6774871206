"""Proof of the read model against the services, and its repair: comparison, rebuild, recounts and their jobs."""
