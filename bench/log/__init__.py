"""The log: appends and reads against bare clients and the disk."""
