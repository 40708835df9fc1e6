"""A model behind an OpenAI-compatible endpoint."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from wasmind.models import finite_json
from wasmind.models.advice import Advice
from wasmind.models.errors import Code, ModelError
from wasmind.models.history import cleaned
from wasmind.models.quirks import Quirks
from wasmind.models.refusal import refusal, refusal_inside
from wasmind.models.secret import Secret, masked
from wasmind.models.stream import Assembler, Events
from wasmind.models.upstream import Completion, Request, Watch
from wasmind.providers import Provider
from wasmind.runtime.host.gunzip import GzipError, GzipTooLong, gunzip

if TYPE_CHECKING:
    import httpcore

    from wasmind.models.wire import Patience, Wire

#: How often a refusal may teach us something before it counts.
_LESSONS: Final = 6
_STREAM: Final = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Target:
    """Where and how an endpoint is asked.

    Attributes:
        url: of chat completions.
        models_url: lists what the provider has.
        model: what the provider calls the model.
        key: read when it is first needed; raises ModelError.
        headers: to add; values as they are sent.
        params: merged under what the actor sends.
        stream: whether a stream is asked for.
        first_byte_seconds, timeout_seconds: how long an attempt may take.
    """

    provider: Provider
    url: str
    models_url: str
    model: str
    key: Callable[[], Secret | None]
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    stream: bool = True
    first_byte_seconds: float = 120.0
    timeout_seconds: float = 600.0


class Endpoint:
    """Asks a target. Used from any thread.

    Args:
        target: what to ask.
        wire: makes the connections; shared by all models of a provider.
    """

    def __init__(self, target: Target, wire: Callable[[], Wire]) -> None:
        self._target = target
        self._wire = wire
        self._quirks = Quirks.of(target.provider)
        self._advice = Advice(target, self._fetch)
        self._lock = threading.Lock()

    @property
    def label(self) -> str:
        """The provider's name of the model, and the host."""
        host = self._target.url.split("/")[2]
        return f"{self._target.model} at {host}"

    @property
    def target(self) -> Target:
        """Where and how it asks."""
        return self._target

    def close(self) -> None:
        """Connections belong to the wire."""

    def ask(self, request: Request, watch: Watch) -> Completion:
        """Make one attempt; what is refused for its form is asked once more in another."""
        secret = self._target.key()
        merged = {**self._target.params, **request}
        for _ in range(_LESSONS):
            quirks = copy(self._quirks)
            body = quirks.body(
                merged,
                model=self._target.model,
                stream=self._target.stream,
                most=watch.most_tokens,
            )
            try:
                return self._attempt(body, secret, watch)
            except ModelError as error:
                if not self._learned(quirks, error, body, watch):
                    self._advice.add(error)
                    raise
        raise ModelError(400, f"{self.label} refuses every form of the request")

    def _learned(self, used: Quirks, error: ModelError, body: Request, watch: Watch) -> bool:
        """Whether the next request will be another one."""
        with self._lock:
            if used != self._quirks:
                return True  # others have learned it meanwhile
            lesson = self._quirks.learn(error, body)
        if lesson is not None:
            watch.warn(f"{self.label}: {lesson}")
        return lesson is not None

    def _attempt(self, body: Request, secret: Secret | None, watch: Watch) -> Completion:
        answer = self._send("POST", self._target.url, _encoded(body), secret, watch)
        if not isinstance(answer, dict) or not _has_message(answer):
            text = f"the answer holds no message ({self._target.url})"
            raise ModelError(502, text, Code.UNAVAILABLE, again=True, billed=True)
        return answer

    def _fetch(self, seconds: float) -> Any:
        """What the provider lists, for advice."""
        watch = Watch(largest=8 << 20)
        return self._send("GET", self._target.models_url, None, self._target.key(), watch, seconds)

    def _send(
        self,
        method: str,
        url: str,
        content: bytes | None,
        secret: Secret | None,
        watch: Watch,
        seconds: float | None = None,
    ) -> Any:
        import httpcore

        from wasmind.models.wire import Patience
        from wasmind.runtime.host.connections import Hopeless

        patience = Patience(
            seconds or self._target.first_byte_seconds,
            seconds or self._target.timeout_seconds,
            watch.cancelled,
            watch.idle,
        )
        headers = self._headers(secret, stream=self._target.stream and content is not None)
        if content is not None:
            headers["Content-Length"] = str(len(content))
        encoded = [(key.encode("ascii"), value.encode("latin-1")) for key, value in headers.items()]
        request = httpcore.Request(method, url, headers=encoded, content=content)
        request.headers.insert(0, (b"Host", _authority(request.url)))
        try:
            with self._wire().exchange(request, patience) as response:
                return self._read(response, _Mask(secret), watch, patience)
        except ModelError as error:
            raise _placed(error, url) from None
        except Hopeless as error:
            raise ModelError(502, str(error), Code.UNAVAILABLE, elsewhere=True) from None
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise self._unreachable(error, url) from None

    def _headers(self, secret: Secret | None, *, stream: bool) -> dict[str, str]:
        headers = {
            "Accept": f"{_STREAM}, application/json" if stream else "application/json",
            # Compressed streams come in lumps.
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            "User-Agent": "wasmind",
        }
        if secret is not None:
            name = self._target.provider.key_header
            headers[name or "Authorization"] = (
                secret.reveal() if name else f"Bearer {secret.reveal()}"
            )
        given = {key.lower() for key in self._target.headers}
        kept = {key: value for key, value in headers.items() if key.lower() not in given}
        return {**kept, **self._target.headers}

    def _read(
        self, response: httpcore.Response, mask: _Mask, watch: Watch, patience: Patience
    ) -> Any:
        headers = {
            key.decode("ascii", "replace").lower(): value.decode("latin-1")
            for key, value in response.headers
        }
        decoded = _decoded(response.iter_stream(), headers, watch.largest)
        chunks = _limited(decoded, watch.largest, patience)
        if not 200 <= response.status < 300:
            if 300 <= response.status < 400 and "location" in headers:
                text = f"it redirects to {headers['location'][:200]}"
                raise ModelError(502, text, advice="write that as `base_url`", elsewhere=True)
            raise refusal(response.status, headers, b"".join(chunks), mask)
        first = next(chunks, b"")
        if _STREAM in headers.get("content-type", "") or first.lstrip().startswith(
            (b"data:", b"event:", b": ")
        ):
            return _streamed(first, chunks, headers, mask, watch)
        return _whole(b"".join((first, *chunks)), headers, mask)

    def _unreachable(self, error: Exception, url: str) -> ModelError:
        reason = str(error) or type(error).__name__
        cause = error.__cause__ or error.__context__
        if isinstance(cause, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY" in reason:
            return ModelError(
                502,
                f"the certificate of {url} is not trusted: {reason}",
                Code.UNAVAILABLE,
                advice="if it is your own, name its authority in `SSL_CERT_FILE`",
                elsewhere=True,
            )
        refused = "refused" in reason.lower()
        start = self._target.provider.start
        if refused and start:
            # Nothing listens; it will not in a few seconds either.
            return ModelError(
                502,
                f"nothing answers at {url}",
                Code.UNAVAILABLE,
                advice=f"start it with `{start}`",
                elsewhere=True,
            )
        return ModelError(502, f"cannot reach {url}: {reason}", Code.UNAVAILABLE, again=True)


def _encoded(body: Request) -> bytes:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=str)
    try:
        return text.encode()
    except UnicodeEncodeError:  # halves of surrogate pairs, outside the history
        return json.dumps(cleaned(body), separators=(",", ":"), default=str).encode()


def _has_message(answer: Mapping[str, Any]) -> bool:
    choices = answer.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return isinstance(first, dict) and isinstance(first.get("message"), dict)


class _Mask:
    """Covers the key of a request in what comes back."""

    def __init__(self, secret: Secret | None) -> None:
        self._secrets = () if secret is None else (secret,)

    def __call__(self, text: str) -> str:
        return masked(text, self._secrets)


def _placed(error: ModelError, url: str) -> ModelError:
    """The error, with where it came from."""
    if error.code is Code.CANCELLED:
        return error
    error.args = (f"{error.args[0]} ({error.status} from {url})",)
    return error


def _authority(url: httpcore.URL) -> bytes:
    usual = {b"http": 80, b"https": 443}[url.scheme]
    return url.host if url.port in (None, usual) else b"%b:%d" % (url.host, url.port)


def _decoded(chunks: Iterator[bytes], headers: Mapping[str, str], largest: int) -> Iterator[bytes]:
    """Some compress although nobody asked."""
    if headers.get("content-encoding", "identity").strip().lower() not in ("gzip", "x-gzip"):
        yield from chunks
        return
    try:
        yield from gunzip(chunks, largest)
    except GzipTooLong:
        raise _too_large(largest) from None
    except GzipError as error:
        text = f"the answer is damaged: {error}"
        raise ModelError(502, text, again=True, billed=True) from None


def _too_large(largest: int) -> ModelError:
    text = f"the answer is larger than {largest >> 20} MiB (limit `response_mib`)"
    return ModelError(502, text, Code.UNAVAILABLE, elsewhere=True, billed=True)


def _limited(chunks: Iterator[bytes], largest: int, patience: Patience) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        patience.came()
        size += len(chunk)
        if size > largest:
            raise _too_large(largest)
        yield chunk


def _whole(body: bytes, headers: Mapping[str, str], mask: _Mask) -> Any:
    try:
        document = finite_json.loads(body)
    except (ValueError, RecursionError):
        text = mask(" ".join(body[:200].decode("utf-8", "replace").split()))
        message = f"the answer is not JSON: {text or 'it is empty'}"
        raise ModelError(502, message, again=True, billed=True) from None
    if (error := refusal_inside(document, headers, mask)) is not None:
        raise error
    return document


def _streamed(
    first: bytes, chunks: Iterator[bytes], headers: Mapping[str, str], mask: _Mask, watch: Watch
) -> Completion:
    import httpcore

    events, assembler = Events(), Assembler(watch.delta)

    def take(chunk: bytes, *, final: bool = False) -> None:
        for data in events.feed(chunk, final=final):
            try:
                document = assembler.feed(data)
            except (ValueError, RecursionError):
                text = f"a piece of the stream is not JSON: {mask(data[:200])}"
                raise ModelError(502, text, again=True, billed=True) from None
            if (error := refusal_inside(document, headers, mask)) is not None:
                raise error
            if assembler.begun:
                watch.came()

    try:
        take(first)
        for chunk in chunks:
            take(chunk)
        take(b"", final=True)
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        if not assembler.complete:
            raise _cut_off(str(error) or type(error).__name__) from None
    if not assembler.complete:
        raise _cut_off("it ended without a word")
    return assembler.result()


def _cut_off(reason: str) -> ModelError:
    text = f"the stream broke off: {reason}"
    return ModelError(502, text, Code.UNAVAILABLE, again=True, billed=True)
