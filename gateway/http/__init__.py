"""HTTP: the server, request bodies, messages and errors, caching, admission and parameters."""
