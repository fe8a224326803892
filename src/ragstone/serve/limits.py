"""How often somebody may ask: a token bucket for each key or address.

A bucket holds up to a quarter of a minute's requests (at least 5) and refills evenly. Buckets
that are full again are forgotten, so memory is bounded by who asked in the last minute.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

_SWEEP_EVERY = 1024


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Rate:
    """Token buckets by name. Used on the event loop only, so it has no lock."""

    def __init__(self, per_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_minute / 60.0
        self._most = max(5.0, per_minute / 4.0)
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}
        self._asked = 0

    def take(self, name: str) -> float:
        """Takes one token; returns 0.0, or the seconds until there is one."""
        if self._per_s <= 0:
            return 0.0
        now = self._clock()
        self._asked += 1
        if self._asked % _SWEEP_EVERY == 0:
            self._sweep(now)
        bucket = self._buckets.setdefault(name, _Bucket(self._most, now))
        bucket.tokens = min(self._most, bucket.tokens + (now - bucket.at) * self._per_s)
        bucket.at = now
        if bucket.tokens < 1.0:
            return (1.0 - bucket.tokens) / self._per_s
        bucket.tokens -= 1.0
        return 0.0

    def __len__(self) -> int:
        return len(self._buckets)

    def _sweep(self, now: float) -> None:
        whole_s = self._most / self._per_s
        self._buckets = {
            name: bucket for name, bucket in self._buckets.items() if now - bucket.at < whole_s
        }
