"""Label jobs, and the labels that they produce."""
