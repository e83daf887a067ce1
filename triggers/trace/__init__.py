"""The trace of a trigger over a drive: the value of every part of its condition at every tick, as numbers and pages."""
