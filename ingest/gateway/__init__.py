"""The upload gateway: where vehicles send clips, by tus 1.0, a process of its own."""
