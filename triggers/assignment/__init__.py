"""Assignment: which vehicles run a campaign and which fires are kept, as pure functions."""
