"""The language's commands and its reference interpreter."""
