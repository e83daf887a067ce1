"""The API's history of clips and fires, and latencies: routes, use cases and rules."""
