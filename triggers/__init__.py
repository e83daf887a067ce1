"""The trigger language and its compiler, contract types, clips, drives, backtests, and the vehicle's agent."""
