"""The command line `longtail`: one file per group of commands."""
