"""The signal catalog: signals, their units, and the import of a COVESA Vehicle Signal Specification."""
