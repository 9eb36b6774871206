"""AWARDS: evaluation, contests and prizes; here the prizes won at contests above the city (K1)."""
