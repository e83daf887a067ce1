"""The series of sine, cosine and arc sine: numbers that the reference interpreter and the kernels share.

WebAssembly has no such functions, and machines' libraries differ in the last bit. Both evaluators therefore compute
them in the same steps of `+ - * / sqrt floor nearest`; their error is below `ERROR`.
"""

from __future__ import annotations

import math

TURN_RAD = 2.0 * math.pi
ERROR = 1e-15
"""Largest error of a sine or cosine of up to one turn, and largest relative error of an arc sine in radians."""

SINE = tuple((-1.0) ** n / math.factorial(2 * n + 1) for n in range(8, -1, -1))
"""Coefficients of x, x^3, ... x^17, the last one first: for x within an eighth of a turn."""
COSINE = tuple((-1.0) ** n / math.factorial(2 * n) for n in range(8, -1, -1))
"""Coefficients of 1, x^2, ... x^16, the last one first."""
ARC_SINE = tuple(math.factorial(2 * n) / (4**n * math.factorial(n) ** 2 * (2 * n + 1)) for n in range(25, -1, -1))
"""Coefficients of x, x^3, ... x^51, the last one first: for x from 0 to a half."""
