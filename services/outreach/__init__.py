"""Outreach: science popularisation; activities, the audiences they reach (K2) and the places they use."""
