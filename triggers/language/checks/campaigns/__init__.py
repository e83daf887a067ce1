"""Checks of campaign blocks: their amounts and targets, and the settings that they give."""
