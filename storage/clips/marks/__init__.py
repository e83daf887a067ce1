"""What people add to clips: tags and notes, each with who and when."""
