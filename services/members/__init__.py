"""Members: the organisations of the association, and the honours of people and organisations."""
