"""What another bureau is handed beside its address and its token: an example to begin with."""
