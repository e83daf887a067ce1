"""The API's audit log: routes and use cases."""
