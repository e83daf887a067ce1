"""Backtests in the API: what trigger files would have done on recorded drives or catalogued clips, as jobs."""
