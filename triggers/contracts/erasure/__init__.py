"""Reports on what was erased, which can be verified by whoever has them."""
