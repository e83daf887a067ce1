"""The API's usage: routes, use cases and rules."""
