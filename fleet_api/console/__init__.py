"""The web console: the browser application's sources (`app/`), and the routes that serve what is built from them."""
