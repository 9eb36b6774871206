"""Awards: editions of programmes from the call to a revoked prize, and the prizes won above the city (K1)."""
