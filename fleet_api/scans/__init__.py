"""The API's scans, searches by what happened: routes, use cases, and the processes that do the work."""
