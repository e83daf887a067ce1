"""What people add to clips, with who and when: tags and notes."""
