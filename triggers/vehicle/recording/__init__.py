"""Recording on the vehicle, from a fire to a clip: ring buffer, recorder, charges, clip files."""
