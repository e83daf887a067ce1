"""The version of the vector `signals-v1`: its name, its size, and the id by which stored vectors are told apart.

It is apart from what computes the vector, so that whoever stores, queues and compares vectors need not load that.
"""

from __future__ import annotations

NAME = "signals-v1"
DIMENSIONS = 64
EMBEDDING_ID = f"{NAME}.a3b137d68aeb069af86f4e92d9fae96e"
"""After the name, the digest of everything that the vector depends on (`vector.embedding_id`), as a test checks."""
