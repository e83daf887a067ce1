"""The API's log-in of people by OpenID Connect: routes, use cases and rules."""
