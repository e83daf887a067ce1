"""Likeness of clips: the vector `signals-v1`, a pure function of a clip's signals around its fire

`vector.signals_vector` is all that others need, with `version.EMBEDDING_ID`, which changes with whatever it depends on.
"""
