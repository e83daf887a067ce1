"""Lists of objects in recorded drives: columns of lists of structs, or columns by place, read as arrays."""
