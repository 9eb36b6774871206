"""KPI arithmetic: how events become counts and counts become answers. Pure."""
