"""The API's clips: routes and use cases."""
