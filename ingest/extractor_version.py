"""The extractor's version: raised when its outputs change, so that old clips can be extracted again."""

EXTRACTOR_VERSION = 4
