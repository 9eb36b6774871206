"""News for those who asked for it: alerts, webhooks and the event stream."""
