"""Comparison of events: the rises of two signals of a head, such as its active and its shadow one, matched in time"""
