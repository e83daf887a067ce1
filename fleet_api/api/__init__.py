"""The HTTP API's application: authentication, request bodies, errors, and routes that belong to no subject."""
