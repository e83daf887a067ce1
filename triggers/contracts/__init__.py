"""The contract types that vehicle, cloud and tools share: campaigns, bundles, check-in, clips, problems."""
