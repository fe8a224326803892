"""schemathesis against the server's own description: nothing it sends may be a 5xx, and what
comes back has the described status and type."""

from __future__ import annotations

import os
import shutil

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ragstone.serve import openapi
from ragstone.serve.app import OPERATIONS
from ragstone.serve.keys import Keys

pytestmark = pytest.mark.real
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "12"))  # of each operation
DESCRIBED = schemathesis.openapi.from_dict(openapi.document(OPERATIONS, version="test"))


@pytest.fixture(scope="module")
def fuzzed(folder, running_server, tmp_path_factory):
    """A server over a copy of the corpus, which may be changed."""
    base = tmp_path_factory.mktemp("fuzz")
    shutil.copytree(folder, base / "corpus")
    with running_server({"main": base / "corpus"}, Keys(base / "k.json"), base / "up") as one:
        yield one


@DESCRIBED.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_request_breaks_the_server(case, fuzzed):
    if case.path_parameters and "corpus" in case.path_parameters:
        case.path_parameters["corpus"] = "main"
    reply = case.call(base_url=fuzzed.url, timeout=120)  # patience on a busy machine
    case.validate_response(
        reply,
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
        ],
    )
