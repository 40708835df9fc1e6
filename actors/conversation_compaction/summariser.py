"""The model that summarises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from summary import transcript_of

from wasmind_actor import http
from wasmind_actor.chat import HistoryMessage

_TIMEOUT_SECONDS: Final = 120
_RETRY: Final = http.Retry(attempts=3, delay_ms=1000)

PROMPT: Final = """\
You distil the transcript of an agent's work into a short state summary, with which another model
continues the work without having seen the transcript. You do not answer the transcript, and you do
not take part in it. Write for a machine: objective, terse, no sentence that could be left out.

Keep: the goal; what is being done right now; facts and decisions that bind (what the user prefers,
constraints, findings, names and paths); which tools were used with success, without their output
(one sentence of a finding at most); the next step, or the question that is open.

Leave out: politeness, raw output of tools, the order of events, attempts that failed (unless they
established a constraint), the system prompt.

Use exactly this layout:

# State
**Goal:** ...
**Focus:** ...
**Facts:**
- ...
**Tools used:**
- ...
**Next step:** ...

Example transcript:

<user>
The tests of the parser fail since yesterday. Please fix that, but do not touch the lexer.
</user>

<assistant>
[calls execute_bash {"command": "pytest tests/parser -x"}]
</assistant>

<tool name="execute_bash">
FAILED tests/parser/test_calls.py::test_nested - AssertionError: depth 1 != 2
</tool>

<assistant>
The parser counts only the outer parentheses. I look at parse_call.
[calls read_file {"path": "src/parser.py"}]
</assistant>

Its summary:

# State
**Goal:** make the parser's tests pass again
**Focus:** `parse_call` in src/parser.py, which counts only the outer parentheses
**Facts:**
- the lexer must not be changed
- tests/parser/test_calls.py::test_nested fails: depth is 1 instead of 2
**Tools used:**
- execute_bash: ran the tests
- read_file: src/parser.py
**Next step:** correct the counting of nested calls in `parse_call`, then run the tests
"""


class SummaryError(Exception):
    """There is no summary; says why."""


class Summariser:
    """Asks a model for summaries.

    Args:
        model: its name.
        base_url: its endpoint, with or without `/v1`.
    """

    def __init__(self, model: str, base_url: str) -> None:
        self._model = model
        self._url = f"{base_url.rstrip('/').removesuffix('/v1')}/v1/chat/completions"

    def summarise(self, history: Sequence[HistoryMessage]) -> str:
        """A summary of messages.

        Raises:
            SummaryError: the model gave none.
        """
        request = {
            "model": self._model,
            "messages": [
                {"role": "system", "content": PROMPT},
                {"role": "user", "content": transcript_of(history)},
            ],
        }
        try:
            answer = http.post(self._url, json=request, timeout=_TIMEOUT_SECONDS, retry=_RETRY)
        except http.HttpError as error:
            raise SummaryError(f"could not reach the model: {error}") from None
        if answer.status != 200:
            raise SummaryError(f"status {answer.status}: {answer.text.strip()[:300]}")
        try:
            text = _content(answer.json())
        except ValueError:
            text = None
        if not text or not text.strip():
            raise SummaryError("the model's answer holds no text")
        return text


def _content(document: Any) -> str | None:
    match document:
        case {"choices": [{"message": {"content": str(text)}}, *_]}:
            return text
        case _:
            return None
