"""The upload gateway: a separate process to which vehicles send clips by tus 1.0."""
