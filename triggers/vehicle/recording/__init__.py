"""From a fire to a clip on the vehicle: ring buffer, recorder, charges, clip files."""
