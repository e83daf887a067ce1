"""Object stores against bare clients and the disk."""
