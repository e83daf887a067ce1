"""The mistakes an author can make, a file for each hundred of codes."""
