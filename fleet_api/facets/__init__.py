"""The API's counts of clips: how many a filter finds, and how they are spread, as routes and use cases."""
