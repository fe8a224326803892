"""The same over HTTP: start the server, ask it as any OpenAI client would, stop it."""

import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import Request, urlopen

import ragstone

LIBRARY = Path(__file__).parent / "library"
MESSAGES = [{"role": "user", "content": "When was the lamp first lit?"}]
ASKED = json.dumps({"model": "ragstone", "messages": MESSAGES}).encode()

with ragstone.open(".ragstone") as corpus:
    corpus.sync(LIBRARY)
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
command = [sys.executable, "-m", "ragstone", "serve", "--port", str(port), "--llm", "none"]
server = subprocess.Popen([*command, "--corpus", ".ragstone"])
try:
    for _ in range(100):  # until it answers
        try:
            urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
            break
        except OSError:
            time.sleep(0.1)
    address = f"http://127.0.0.1:{port}/v1/chat/completions"
    request = Request(address, ASKED, {"Content-Type": "application/json"})
    with urlopen(request, timeout=30) as reply:
        print(json.load(reply)["choices"][0]["message"]["content"])
finally:
    server.terminate()
    server.wait()
