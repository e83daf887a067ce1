"""The steward: periodic duties of a deployment, run by any worker, and the rules they follow."""
