"""`doctor`: the corpus, and what it needs around it, looked at as a whole."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Literal

from ragstone import settings as settings_module
from ragstone.build.names import open_encoder
from ragstone.corpus import Finding, Store
from ragstone.errors import CorpusError, RagstoneError


def examine(path: str, *, config: Path | None = None, repair: bool = False) -> list[Finding]:
    """What is wrong with the corpus in `path` and with the set-up, worst first.

    With `repair`, what can be mended without loss is; a finding says so.
    """
    findings: list[Finding] = []
    settings = settings_module.load(config=config)
    try:
        with Store.open(path) as store:
            findings.extend(store.doctor(repair=repair))
            identity = store.info().encoder_identity
    except CorpusError as error:
        findings.append(Finding("error", error.what, error.remedy))
        identity = ""
    findings.extend(_encoder(settings.encoder, settings.threads, identity))
    findings.extend(_reader(settings.reader))
    findings.extend(_model(settings.llm))
    order = {"error": 0, "warning": 1, "note": 2}
    return sorted(findings, key=lambda finding: order[finding.severity])


def _encoder(spec: str, threads: int, identity: str) -> list[Finding]:
    from ragstone.models.encoder import OnnxEncoder

    try:
        encoder = open_encoder(spec, threads=threads)
    except RagstoneError as error:
        return [Finding("error", error.what, error.remedy)]
    try:
        if isinstance(encoder, OnnxEncoder):
            encoder.verify()
        if identity and identity != encoder.identity:
            return [
                Finding(
                    "error",
                    f"The corpus was built with {identity}; the encoder in use is "
                    f"{encoder.identity}.",
                    "Run `ragstone reembed`, or set `encoder` to the one it was built with.",
                )
            ]
    except RagstoneError as error:
        return [Finding("error", error.what, error.remedy)]
    finally:
        encoder.close()
    return []


def _reader(spec: Literal["shipped", "none"]) -> list[Finding]:
    if spec == "none":
        return []
    from ragstone.models.reader import shipped_reader

    try:
        shipped_reader(threads=1).verify()
    except RagstoneError as error:
        return [Finding("error", error.what, error.remedy)]
    return []


def _model(spec: str) -> list[Finding]:
    if spec not in ("auto", "local"):
        return []
    if importlib.util.find_spec("openvino_genai") is None:
        severity = "warning" if spec == "local" else "note"
        what = "The runtime of the local language model is not installed: answers are quotes."
        return [Finding(severity, what, "pip install 'ragstone[local]'")]  # type: ignore[arg-type]
    from ragstone.models import registry

    built_in = next(known for known in registry.list_models() if known.name == registry.BUILT_IN)
    if not built_in.present:
        what = f"The local language model {built_in.name} has not been fetched yet."
        return [Finding("note", what, "Run `ragstone models pull` while there is a network.")]
    return []
