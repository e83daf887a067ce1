"""The catalog of clips: written, searched, extracted."""
