"""The OpenAI protocol against llama.cpp's own server, with the built-in model's weights."""

import http.client
import socket
import subprocess
import sys
import textwrap
import time
from importlib.util import find_spec

import pytest

from ragstone.errors import RemoteError, UsageError
from ragstone.models import registry
from ragstone.protocols import Finish
from ragstone.testing.contracts.language_model import check_language_model, text_of
from ragstone.types import Message

pytestmark = pytest.mark.real

KEY = "sesame"
SERVER = """
    import sys
    import xllamacpp
    settings = xllamacpp.CommonParams()
    settings.model.path = sys.argv[1]
    settings.hostnames = ["127.0.0.1"]
    settings.port = int(sys.argv[2])
    settings.api_keys = [sys.argv[3]]
    settings.model_alias = {"smollm2"}
    settings.n_ctx = 1024
    settings.n_parallel = 1
    settings.warmup = False
    settings.cpuparams.n_threads = 1  # its idle threads would spin against the other tests
    server = xllamacpp.Server(settings)
    sys.stdin.read()  # until the test closes it
"""


class Server:
    """llama.cpp's server in a process of its own, stopped by closing its input."""

    def __init__(self, path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        program = [sys.executable, "-c", textwrap.dedent(SERVER), str(path), str(self.port), KEY]
        self.process = subprocess.Popen(
            program, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 120
        while not self.ready():
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.1)

    def ready(self) -> bool:
        """Whether it has loaded the model; before that it answers 503."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def stop(self) -> None:
        if self.process.stdin and not self.process.stdin.closed:
            self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="module")
def weights():
    pytest.importorskip("openai")
    if find_spec("xllamacpp") is None:
        pytest.skip("xllamacpp is not installed")
    built_in = registry.list_models()[0]
    if not built_in.present:
        pytest.skip("the built-in model was not pulled")
    return built_in.path


@pytest.fixture(scope="module")
def server(weights):
    server = Server(weights)
    yield server
    server.stop()


def opened(server, **changes):
    from ragstone.models.openai import OpenAIModel

    settings = {"base_url": server.url, "api_key": KEY, "timeout_s": 60.0}
    return OpenAIModel("smollm2", **{**settings, **changes})


def test_it_keeps_the_contract(server):
    check_language_model(opened(server))


def test_the_window_and_the_size_are_what_the_server_says(server):
    with opened(server) as model:
        assert model.context_tokens == 1024
        assert not model.capable


def test_log_probabilities_and_the_cached_prefix_are_told(server):
    prefix = Message("system", "You answer briefly. " * 20)
    with opened(server, logprobs=True) as model:
        for question in ("Name a colour.", "Name a city."):
            *tokens, finish = model.generate([prefix, Message("user", question)], max_tokens=6)
        assert all(token.logprob <= 0 for token in tokens)
        assert isinstance(finish, Finish)
        assert 60 < finish.usage.cached_tokens < finish.usage.prompt_tokens


def test_an_overflow_is_told_with_both_sizes(server):
    with opened(server) as model, pytest.raises(UsageError, match=r"\d{4} tokens .* 1024"):
        list(model.generate([Message("user", "word " * 2000)], max_tokens=8))


def test_a_wrong_key_is_told(server):
    with (
        opened(server, api_key="wrong") as model,
        pytest.raises(RemoteError, match="refused the key"),
    ):
        list(model.generate([Message("user", "Hello")]))


def test_a_wrong_address_is_told(server):
    with (
        opened(server, base_url=server.url + "/chat") as model,
        pytest.raises(RemoteError, match="no chat at this address"),
    ):
        list(model.generate([Message("user", "Hello")]))


def test_a_server_that_dies_in_the_middle_is_told(weights):
    from ragstone.models.faults import Retries

    server = Server(weights)
    try:
        with opened(server, retries=Retries(1)) as model:
            stream = model.generate([Message("user", "Count to one thousand.")], max_tokens=900)
            next(stream)
            server.process.kill()
            with pytest.raises(RemoteError, match="broke off"):
                text_of(list(stream))
            with pytest.raises(RemoteError, match="No connection"):
                list(model.generate([Message("user", "Hello")]))
    finally:
        server.stop()
