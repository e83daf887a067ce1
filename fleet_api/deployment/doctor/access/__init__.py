"""How people and vehicles get in: the certificates of the listeners, and the provider where people log in."""
