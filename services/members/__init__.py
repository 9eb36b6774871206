"""Members: the organisations that the association is made of."""
