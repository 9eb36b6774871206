"""A site of containers: its files, rights at the broker, and the programs of other bureaus."""
