"""The whole loop, from a vehicle's first request to the catalog."""
