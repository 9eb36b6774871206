"""A site: its files, rights at the broker, and the programs of other bureaus."""
