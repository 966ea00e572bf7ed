"""Serial numbers of compiled Cells.

MindSpore gives a number to each list of argument types, and compiles a Cell once for each number.
It forgets the number when the Cell dies that had these types first. All other Cells with the same
types get a new number in their next call, which compiles them again. A serial number is a constant
argument, so it makes the types those of one Cell.
"""

from __future__ import annotations

import itertools

SERIALS = itertools.count()
"""Gives a number that no other Cell of the process has."""
