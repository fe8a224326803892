"""What many tests share: the library of the demo, and the measuring collections."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def library() -> Path:
    """A small world in twelve files of many formats."""
    return ROOT / "examples" / "library"


@pytest.fixture(scope="session")
def collections() -> Path:
    """The folder of the measuring collections, or a skip."""
    folder = os.environ.get("RAGSTONE_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("RAGSTONE_DATA names no folder of collections")
    return Path(folder)
