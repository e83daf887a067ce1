"""`longtail rates`: how often triggers fire, what versions changed, and how often compared heads disagree"""
