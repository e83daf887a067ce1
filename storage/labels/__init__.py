"""Label jobs and labels."""
