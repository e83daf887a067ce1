"""The command line `longtail`: one file a group of commands."""
