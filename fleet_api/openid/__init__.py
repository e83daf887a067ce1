"""OpenID Connect: what the API knows of the provider where people log in, and how it believes what that says."""
