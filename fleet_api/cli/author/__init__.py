"""Commands of those who write triggers: no deployment is needed."""
