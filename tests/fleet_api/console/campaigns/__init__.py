"""The console's pages about campaigns in the browser."""
