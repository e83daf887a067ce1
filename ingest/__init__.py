"""From a vehicle's bytes to a catalogued clip: gateway, log, assembler, extraction."""
