"""The links of the model, and how many times as fast as here a worker may compute."""

from __future__ import annotations

from scaling.model import Link

LINKS = (
    Link("10 Gbit/s Ethernet", 1.25e9, 20e-6),
    Link("100 Gbit/s Ethernet", 12.5e9, 5e-6),
    Link("200 Gbit/s InfiniBand", 25e9, 2e-6),
    Link("NVLink 4, 450 GB/s", 450e9, 2e-6),
)
"""Bandwidths are the nominal ones of the standards, and of an H100 half of the 900 GB/s that NVIDIA
states for both directions. Latencies are parameters: usual values, which no standard fixes."""

LABELS = ("10 Gbit/s", "100 Gbit/s", "200 Gbit/s", "NVLink")
"""What charts call them."""

SPEEDS = (1, 10, 100)
"""Parameters too."""

COUNTS = tuple(2**k for k in range(1, 11))
"""Numbers of workers: 2 to 1,024."""

BATCH = 1024
"""Rows of the whole batch that many workers share."""
