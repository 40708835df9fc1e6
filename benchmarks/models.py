"""Models: what a call through the gateway costs beside a bare httpx call to the same server, many
calls at once through real agents, and streams that nobody watches.

The server is a process of its own on the loopback interface and speaks as providers do.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx

from benchmarks.agents import all_asking
from benchmarks.systems import python_bundle, temporary
from wasmind.models import Gateway, open_gateway
from wasmind.models.choice import Choice
from wasmind.paths import cache_dir
from wasmind.plan import Model
from wasmind.runtime.events import Events
from wasmind.runtime.host.models import BASE_URL, ModelRequest
from wasmind.runtime.runtime import Runtime

_CALLS = 50
_ROUNDS = 7
_STREAMS = 20
_TOKENS_PER_SECOND = 50
_STREAM_SECONDS = 4
_SERVER = """
import asyncio, json, sys

PACE, SECONDS = int(sys.argv[1]), int(sys.argv[2])
USAGE = {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}

def message(text):
    answer = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": answer, "finish_reason": "stop"}
    return {"id": "1", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [choice], "usage": USAGE}

def event(delta, finish=None):
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    document = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m",
                "choices": [choice]}
    return b"data: " + json.dumps(document).encode() + b"\\n\\n"

def chunk(piece):
    return b"%x\\r\\n%b\\r\\n" % (len(piece), piece)

async def stream(writer, texts, pause):
    writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Type: text/event-stream\\r\\n"
                 b"Transfer-Encoding: chunked\\r\\n\\r\\n")
    for text in texts:
        writer.write(chunk(event({"content": text})))
        await writer.drain()
        await asyncio.sleep(pause)
    writer.write(chunk(event({}, "stop")) + chunk(b"data: [DONE]\\n\\n") + b"0\\r\\n\\r\\n")
    await writer.drain()

async def serve(reader, writer):
    try:
        while True:
            head = (await reader.readuntil(b"\\r\\n\\r\\n")).decode("latin-1").lower()
            size = int(head.split("content-length:")[1].split()[0])
            asked = json.loads(await reader.readexactly(size))
            if asked["model"] == "drips":
                await stream(writer, ["token "] * PACE * SECONDS, 1 / PACE)
                continue
            if asked["model"] == "slow":
                await asyncio.sleep(1)
            if asked.get("stream"):
                await stream(writer, ["one ", "two ", "three ", "four ", "five"], 0)
                continue
            body = json.dumps(message("one two three four five")).encode()
            writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\n"
                         b"Content-Length: %d\\r\\n\\r\\n%b" % (len(body), body))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""
_ASKS = """
    import json
    from wasmind_actor import Actor, Message, http, on

    BODY = {"model": "slow", "messages": [{"role": "user", "content": "hi"}]}

    class Ask(Message):
        message_type = "benchmark.Ask"
        url: str

    class Asks(Actor):
        @on(Ask, reach="any")
        def ask(self, message: Ask):
            answer = http.post(message.url, json=BODY, timeout=60)
            assert answer.status == 200, answer.body
"""


def main() -> None:
    """Print the figures."""
    with _server() as url:
        _own_cost(url)
        _unwatched_streams(url)
        _at_once(url)


def _own_cost(url: str) -> None:
    print("one call, beside a bare httpx call to the same server")
    gateway = _gateway(url)
    with httpx.Client() as client:
        for streamed in (False, True):
            name = "streamed" if streamed else "whole"
            body = {**_body(name), "stream": streamed}

            def bare(body: dict[str, Any] = body) -> None:
                answer = client.post(f"{url}/v1/chat/completions", json=body)
                assert answer.status_code == 200

            def ours(name: str = name) -> None:
                _ask(gateway, name)

            own, whole, ratio = _compared(bare, ours)
            print(
                f"{name:>9}: {own:5.2f} ms more CPU (target 1.5), {whole:5.2f} ms in all, "
                f"{ratio:.1f} times as long"
            )
    gateway.close()


def _compared(bare: Callable[[], None], ours: Callable[[], None]) -> tuple[float, float, float]:
    """Milliseconds of CPU a call more than a bare one; of wall time; and the ratio of wall times.

    Both alternate, so that both meet the same machine; the first round does not count.
    """
    more, wall, ratios = [], [], []
    for _ in range(_ROUNDS + 1):
        cpu_bare, wall_bare = _taken(bare)
        cpu_ours, wall_ours = _taken(ours)
        more.append(cpu_ours - cpu_bare)
        wall.append(wall_ours)
        ratios.append(wall_ours / wall_bare)
    return tuple(statistics.median(each[1:]) for each in (more, wall, ratios))  # type: ignore[return-value]


def _taken(call: Callable[[], None]) -> tuple[float, float]:
    """Milliseconds of CPU and of wall time that a call takes."""
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(_CALLS):
        call()
    return (
        (time.process_time() - cpu) * 1e3 / _CALLS,
        (time.perf_counter() - wall) * 1e3 / _CALLS,
    )


def _unwatched_streams(url: str) -> None:
    gateway = _gateway(url)
    asked = {**_body("drips"), "stream": True}

    def bare() -> None:
        with httpx.stream("POST", f"{url}/v1/chat/completions", json=asked, timeout=60) as answer:
            for _ in answer.iter_bytes():
                pass

    httpx_share = _share(bare)
    ours = _share(lambda: _ask(gateway, "drips"))
    gateway.close()
    print(
        f"{_STREAMS} streams of {_TOKENS_PER_SECOND} tokens a second that nobody watches: "
        f"{ours:.3f} of a core (target 0.1); bare httpx that throws them away: {httpx_share:.3f}"
    )


def _share(call: Callable[[], None]) -> float:
    """The share of a core that so many calls at once take."""
    with ThreadPoolExecutor(_STREAMS) as pool:
        cpu, wall = time.process_time(), time.perf_counter()
        for done in [pool.submit(call) for _ in range(_STREAMS)]:
            done.result()
        return (time.process_time() - cpu) / (time.perf_counter() - wall)


def _at_once(url: str) -> None:
    events = Events()
    gateway = _gateway(url, events)
    with temporary() as root:
        bundle = python_bundle(root / "asks", asks=_ASKS)
        runtime = Runtime(bundle, cache_dir(), None, gateway, events)
        runtime.start()
        asked = f"{BASE_URL}/v1/chat/completions"
        try:
            all_asking(runtime, 1, asked)  # loads what asks
            for count, target in ((200, 1.4), (1_000, 4.0)):
                first, later = (all_asking(runtime, count, asked) for _ in range(2))
                print(
                    f"{count} calls of 1 s at once: {first:.2f} s by agents that are new, "
                    f"{later:.2f} s by the same once more (target {target}); "
                    f"bare httpx on as many threads: {_bare_at_once(url, count):.2f} s"
                )
        finally:
            runtime.stop(timeout=60)
            gateway.close()


def _bare_at_once(url: str, count: int) -> float:
    """Seconds for so many calls without agents and gateway, on threads that are there already."""
    limits = httpx.Limits(max_connections=None)
    ready = threading.Barrier(count + 1)
    with httpx.Client(limits=limits, timeout=60) as client, ThreadPoolExecutor(count) as pool:

        def call() -> None:
            ready.wait()
            client.post(f"{url}/v1/chat/completions", json=_body("slow"))

        asked = [pool.submit(call) for _ in range(count)]
        ready.wait()
        started = time.perf_counter()
        for each in asked:
            each.result()
        return time.perf_counter() - started


def _gateway(url: str, events: Events | None = None) -> Gateway:
    settings = {"base_url": url, "timeout_seconds": 60.0}
    names = {"whole": False, "streamed": True, "slow": True, "drips": True}
    models = tuple(
        Model(name=name, kind="endpoint", settings={**settings, "model": name, "stream": stream})
        for name, stream in names.items()
    )
    return open_gateway(Choice(models), events or Events(), lambda _: None)


def _body(model: str) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "hi"}]}


def _ask(gateway: Gateway, model: str) -> None:
    reply = gateway.answer(
        ModelRequest(
            method="POST",
            path="/v1/chat/completions",
            body=json.dumps(_body(model)).encode(),
            actor="asks",
            scope="000000",
            message_id=None,
            cancelled=threading.Event(),
            largest=1 << 20,
        )
    )
    assert reply.status == 200, reply.body


@contextmanager
def _server() -> Iterator[str]:
    """The root of a server that runs until the end."""
    paces = [str(_TOKENS_PER_SECOND), str(_STREAM_SECONDS)]
    command = [sys.executable, "-I", "-c", _SERVER, *paces]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


if __name__ == "__main__":
    main()
