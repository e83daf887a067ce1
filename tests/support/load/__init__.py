"""Load on a running deployment: floods by one caller, and witnesses that see how others are served meanwhile."""
