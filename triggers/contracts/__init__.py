"""Contract types shared by vehicle, cloud and tools: campaigns, bundles, check-in, clips, cells."""
