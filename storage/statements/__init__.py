"""How statements are asked: with their text found by their form, and with a limit of time."""
