"""The page and the example program that another bureau gets beside its address and its token."""
