"""The API's log-in of people, by OpenID Connect or by a token: routes, use cases and rules."""
