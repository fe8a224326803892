"""The package as a whole: its public names, what importing it costs, its import floors."""

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import ragstone

HEAVY = (
    "numpy",
    "onnxruntime",
    "tokenizers",
    "torch",
    "openvino_genai",
    "click",
    "sqlite3",
)


def test_every_public_name_is_there_and_few_are_public() -> None:
    assert len(ragstone.__all__) < 30
    assert ragstone.__all__ == sorted(ragstone.__all__, key=lambda name: (name.islower(), name))
    for name in ragstone.__all__:
        assert getattr(ragstone, name).__name__.removeprefix("open_corpus") is not None
    assert set(ragstone.__all__) == set(ragstone._HOME_OF)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'corpse'"):
        _ = ragstone.corpse


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = f"import ragstone, sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_asking_for_help_loads_no_models() -> None:
    heavy = tuple(name for name in HEAVY if name != "click")
    code = (
        "import sys\nfrom ragstone.cli.main import group\n"
        f"group.main(['--help'], standalone_mode=False)\n"
        f"print([m for m in {heavy!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def _modules() -> list[str]:
    root = Path(ragstone.__file__).parent
    return [
        module.name
        for module in pkgutil.walk_packages([str(root)], "ragstone.")
        if not module.name.endswith("__main__")
    ]


@pytest.mark.parametrize("name", _modules())
def test_every_module_says_what_lives_there_and_spells_its_names(name: str) -> None:
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        pytest.skip(f"an extra is not installed: {error.name}")
    assert module.__doc__, f"{name} has no docstring"
    assert len(module.__doc__.split()) > 2, f"{name}: the docstring says nothing"
    for public in getattr(module, "__all__", ()):
        assert hasattr(module, public), f"{name}.__all__ names {public}, which is not there"
