"""The pages and actions of operators: system status, freshness of sources, metrics, dead letters, health."""
