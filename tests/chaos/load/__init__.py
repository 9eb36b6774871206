"""Load of a campaign: clerks, their stories, and the clients they use."""
