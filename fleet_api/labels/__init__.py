"""Labels through the API."""
