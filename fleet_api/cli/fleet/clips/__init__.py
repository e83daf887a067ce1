"""`longtail clips`: the commands, parts of clips, and searches by what happened."""
