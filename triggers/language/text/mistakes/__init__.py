"""The mistakes an author can make, one module for each hundred codes: LT1xx, LT2xx, and so on."""
