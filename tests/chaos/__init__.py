"""Faults on purpose: a whole system under load, a seeded schedule of everything that can break, and what must hold."""
