"""The API's filters: translation from how people write them, and the functions that they can call."""
