"""What kernels are made of: their texts, words of 64 ticks, rings, skeletons and window updates."""
