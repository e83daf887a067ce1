"""The plans of searches: which indexes they use, and how many rows they visit."""
