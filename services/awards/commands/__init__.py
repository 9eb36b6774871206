"""The commands of awards, one module for each group of records; the service is all of them together."""
