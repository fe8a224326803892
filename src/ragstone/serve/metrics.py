"""Counts and durations in Prometheus' text form (exposition format 0.0.4).

Law: label values come from a closed set (route patterns, methods, status, stage names), never
from what a client sent, so that the number of series is bounded and no content leaks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
Labels = tuple[tuple[str, str], ...]


class Metrics:
    """Counters, histograms and gauges by name; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._help: dict[str, tuple[str, str]] = {}
        self._counts: dict[str, dict[Labels, float]] = {}
        self._buckets: dict[str, dict[Labels, list[float]]] = {}
        self._gauges: dict[str, Callable[[], float]] = {}

    def count(self, name: str, about: str, labels: Mapping[str, str], by: float = 1.0) -> None:
        """Adds to a counter."""
        with self._lock:
            self._help[name] = ("counter", about)
            series = self._counts.setdefault(name, {})
            key = tuple(sorted(labels.items()))
            series[key] = series.get(key, 0.0) + by

    def observe(self, name: str, about: str, labels: Mapping[str, str], seconds: float) -> None:
        """Adds a duration to a histogram."""
        with self._lock:
            self._help[name] = ("histogram", about)
            series = self._buckets.setdefault(name, {})
            key = tuple(sorted(labels.items()))
            row = series.setdefault(key, [0.0] * (len(SECONDS) + 2))
            for index, bound in enumerate(SECONDS):
                row[index] += seconds <= bound
            row[-2] += 1
            row[-1] += seconds

    def gauge(self, name: str, about: str, read: Callable[[], float]) -> None:
        """Declares a value that is read when somebody asks."""
        self._help[name] = ("gauge", about)
        self._gauges[name] = read

    def text(self) -> str:
        """All series, in the order of their names."""
        gauges = {name: read() for name, read in self._gauges.items()}
        lines: list[str] = []
        with self._lock:
            for name in sorted(self._help):
                kind, about = self._help[name]
                lines += [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]
                for labels, value in sorted(self._counts.get(name, {}).items()):
                    lines.append(f"{name}{_braces(labels)} {value:g}")
                for labels, row in sorted(self._buckets.get(name, {}).items()):
                    lines += _histogram(name, labels, row)
                if name in gauges:
                    lines.append(f"{name} {gauges[name]:g}")
        return "\n".join(lines) + "\n"


def _histogram(name: str, labels: Labels, row: list[float]) -> list[str]:
    lines = [
        f"{name}_bucket{_braces((*labels, ('le', f'{bound:g}')))} {row[index]:g}"
        for index, bound in enumerate(SECONDS)
    ]
    lines.append(f"{name}_bucket{_braces((*labels, ('le', '+Inf')))} {row[-2]:g}")
    lines.append(f"{name}_sum{_braces(labels)} {row[-1]:.6f}")
    lines.append(f"{name}_count{_braces(labels)} {row[-2]:g}")
    return lines


def _braces(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
