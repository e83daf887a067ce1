"""Tables of rates: vehicles' counts by software and rollout, and what was counted by the end of each day"""
