"""Campaign versions: how they are stored and changed, which ones run, and what they have used."""
