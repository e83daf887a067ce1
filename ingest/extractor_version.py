"""The extractor's version: raised when its outputs change, so that old clips can be extracted again.

A further kind of remark that damages no clip does not raise it: such a remark is not worth another reading of every
clip, so those of older clips lack it.
"""

EXTRACTOR_VERSION = 4
