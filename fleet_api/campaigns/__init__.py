"""The API's campaigns: routes, use cases and rules."""
