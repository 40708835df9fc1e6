"""A model behind the LiteLLM proxy of the run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from wasmind.litellm_program import ProxyError
from wasmind.models.endpoint import Endpoint, Target
from wasmind.models.errors import Code, ModelError, cancelled
from wasmind.models.secret import Secret
from wasmind.models.upstream import Completion, Request, Watch
from wasmind.providers import Provider

if TYPE_CHECKING:
    from wasmind.models.litellm.proxy import Address, Proxy
    from wasmind.models.wire import Wire

_PROVIDER: Final = Provider(name="litellm", local=True)


class ProxiedModel:
    """Asks the proxy, and has it started if it does not run. Used from any thread.

    Args:
        name: what the proxy calls the model.
        proxy: serves it.
        wire: makes the connections.
    """

    def __init__(self, name: str, proxy: Proxy, wire: Callable[[], Wire]) -> None:
        self._name = name
        self._proxy = proxy
        self._wire = wire
        self._lock = threading.Lock()
        self._asked: tuple[Address, Endpoint] | None = None

    @property
    def label(self) -> str:
        """The model, and who is asked."""
        return f"{self._name} at the LiteLLM proxy"

    def start(self, watch: Watch) -> Address:
        """Where the proxy answers; waits for one that is starting.

        Raises:
            ModelError: it cannot be started.
        """
        try:
            return self._proxy.address()
        except ProxyError as error:
            if watch.cancelled.is_set():
                raise cancelled() from None
            raise ModelError(502, str(error), Code.UNAVAILABLE, elsewhere=True) from None

    def ask(self, request: Request, watch: Watch) -> Completion:
        """Make one attempt; waits for a proxy that is starting."""
        address = self.start(watch)
        try:
            return self._endpoint(address).ask(request, watch)
        except ModelError as error:
            if error.code is Code.CANCELLED or (ended := self._proxy.ended()) is None:
                raise
            raise ModelError(502, ended, Code.UNAVAILABLE, again=True, billed=True) from None

    def close(self) -> None:
        """End the proxy, for all its models."""
        self._proxy.close()

    def _endpoint(self, address: Address) -> Endpoint:
        with self._lock:
            if self._asked is None or self._asked[0] != address:
                target = Target(
                    provider=_PROVIDER,
                    url=f"{address.base_url}/v1/chat/completions",
                    models_url=f"{address.base_url}/v1/models",
                    model=self._name,
                    key=lambda: Secret(address.key),
                )
                self._asked = address, Endpoint(target, self._wire)
            return self._asked[1]
