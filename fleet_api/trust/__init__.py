"""The API's trust documents: routes, use cases and rules."""
