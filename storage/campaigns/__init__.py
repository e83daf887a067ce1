"""Campaign versions: their life, what runs, what is due."""
