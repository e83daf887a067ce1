"""Tests of what campaigns have cost, of months that close, and of their export."""
