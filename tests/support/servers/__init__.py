"""Real servers for tests: PostgreSQL, Apache Kafka and S3, started once, shared, cut off and killed."""
