"""The door for outside systems: carries granted requests in from virtual hosts of theirs, and answers and events out.

A process of its own, so that what strangers send shares none with the pages; it has no database, and knows nothing of
the rest of the gateway.
"""
