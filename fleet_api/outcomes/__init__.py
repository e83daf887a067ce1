"""The API's outcomes of fires and dead letters: routes and use cases."""
