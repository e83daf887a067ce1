"""How statements are asked: with their text prepared once, and with a limit of time."""
