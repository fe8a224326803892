"""Other programs' clients of OpenAI's API against the server, with nothing but its address given.

`llm` (Simon Willison's command line; `LLM=PATH` or on the PATH) and Haystack's generator
(`HAYSTACK_PYTHON=PATH`, a Python that has haystack-ai). Skipped where they are absent.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

pytestmark = pytest.mark.real
LLM = os.environ.get("LLM") or shutil.which("llm")
HAYSTACK = os.environ.get("HAYSTACK_PYTHON")
QUESTION = "When was the lamp of Skerry first lit?"
GENERATE = """
import json, sys
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.utils import Secret
pieces = []
given = dict(api_key=Secret.from_token("none"), model="main", api_base_url=sys.argv[1] + "/v1")
asked = [ChatMessage.from_system("Be brief."), ChatMessage.from_user(sys.argv[2])]
streaming = OpenAIChatGenerator(**given, streaming_callback=lambda c: pieces.append(c.content))
streamed = streaming.run(asked)["replies"][0].text
whole = OpenAIChatGenerator(**given).run(asked)["replies"][0].text
print(json.dumps({"pieces": pieces, "streamed": streamed, "whole": whole}))
"""


@pytest.mark.skipif(LLM is None, reason="no llm")
@pytest.mark.parametrize("options", [[], ["--no-stream"], ["-s", "Answer as a pirate."]])
def test_llm_prints_the_answer_with_its_sources(server, tmp_path, options):
    lines = [
        "- model_id: lighthouse", "  model_name: main", f"  api_base: {server.url}/v1",
    ]  # fmt: skip
    (tmp_path / "extra-openai-models.yaml").write_text("\n".join(lines) + "\n")
    command = [str(LLM), "-m", "lighthouse", "--key", "none", *options, QUESTION]
    environment = {**os.environ, "LLM_USER_PATH": str(tmp_path)}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "3 May 1871" in ran.stdout.split("Sources:")[0]
    assert "[1] The lamp of Skerry: “" in ran.stdout


@pytest.mark.skipif(HAYSTACK is None, reason="no haystack")
def test_haystack_streams_what_it_gets_whole(server):
    command = [str(HAYSTACK), "-c", GENERATE, server.url, QUESTION]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-500:]
    said = json.loads(ran.stdout.splitlines()[-1])
    assert len(said["pieces"]) > 2
    assert "".join(said["pieces"]) == said["streamed"] == said["whole"]
    assert "3 May 1871" in said["whole"]
