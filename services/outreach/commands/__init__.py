"""Commands of outreach, in groups: each says what comes in, who may give it, and whom it asks."""
