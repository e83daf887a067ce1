"""Who runs a campaign and which fires are kept: pure functions of identity and attributes."""
