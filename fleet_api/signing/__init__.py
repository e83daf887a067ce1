"""Signing: the list keys and the process that holds them, the chain of trust, and the envelopes of bundles."""
