"""The clip format: an MCAP file with signals, cameras and a manifest, whose bytes are divided into hashed cells."""
