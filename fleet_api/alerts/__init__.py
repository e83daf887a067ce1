"""The API's alerts: routes and use cases."""
