"""A real Kafka and Valkey without root, Docker or Java: what ``python -m monitor up`` runs."""
