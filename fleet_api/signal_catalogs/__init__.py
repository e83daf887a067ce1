"""The API's signal catalogs: routes, use cases and rules."""
