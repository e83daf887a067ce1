"""Which vehicles run a campaign and which fires are kept: pure functions of settings, identity and attributes."""
