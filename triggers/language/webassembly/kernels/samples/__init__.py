"""Kernels that look at the times of samples and of rises: ages, pairs, compared heads and events."""
