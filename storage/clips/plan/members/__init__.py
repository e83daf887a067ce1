"""What the members of a filter say: about one column, about a place, about times of other kinds."""
