"""The attack suite: attacks of every kind against a running deployment, and what must hold for others meanwhile."""
