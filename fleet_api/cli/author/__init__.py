"""Commands for authors of triggers, which need no deployment."""
