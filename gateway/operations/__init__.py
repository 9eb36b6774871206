"""Operations: system status, freshness of sources, metrics, parked messages (dead letters), and health."""
