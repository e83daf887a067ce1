"""Commands that talk to a deployment's API."""
