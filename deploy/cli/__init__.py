"""What operators see and do of a running stack, through its gateway: how it is, jobs, and what is parked."""
