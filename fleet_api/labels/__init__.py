"""The API's label jobs: routes, use cases and rules."""
