"""The HTTP API as an application: authentication, bodies, errors, and what belongs to no subject."""
