"""The clip format: an MCAP file with signals, cameras and a manifest, and the grid of cells its bytes lie on."""
