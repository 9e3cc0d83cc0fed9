"""Where results go: Kafka and, by the projector, Redis."""
