"""What people do with clips: tags and notes, each with who and when, and which clips were opened."""
