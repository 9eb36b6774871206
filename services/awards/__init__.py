"""AWARDS: editions of programmes from the call to a revoked prize, and what is won above the city (K1)."""
