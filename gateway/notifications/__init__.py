"""Notifications for subscribers: alerts, webhooks and the event stream."""
