"""The rules of outreach, one module per aggregate; pure."""
