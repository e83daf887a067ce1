"""The API's vehicles: routes, use cases and rules."""
