"""Checks after a campaign: invariants, stored state, resource usage and recovery time."""
