"""The building blocks of kernels: texts, words of 64 ticks, rings, skeletons and window updates."""
