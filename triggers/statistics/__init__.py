"""Statistics of events: intervals of counts, and rates per hour with what their intervals are made of"""
