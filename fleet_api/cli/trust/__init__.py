"""`longtail trust`: which keys vehicles trust."""
