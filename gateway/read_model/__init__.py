"""The read model in MongoDB: views, their history and counters, in generations that can be rebuilt."""
