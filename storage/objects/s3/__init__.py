"""Objects in a bucket of S3."""
