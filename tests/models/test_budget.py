"""Budgets hold however many ask at once, and say what was spent on what."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models.conftest import endpoint
from tests.models.zoo import (
    Visit,
    chunk,
    completion,
    dies_after,
    event,
    hangs,
    in_turn,
    refuses,
    says,
)
from wasmind.models.budget import Estimates, Ledger
from wasmind.models.errors import ModelError
from wasmind.models.usage import Tokens
from wasmind.plan import Allowance, Budget, Model
from wasmind.prices import Price


def used_up(gateway: Any) -> str:
    status, code, words = gateway.error()
    assert (status, code) == (402, "budget_exhausted")
    return str(words)


def test_a_thousand_agents_never_pass_the_cap(provider, run) -> None:
    """Half of them on a model that uses all it may, half on one that uses little."""
    cap, counted, lock = 50_000, [0], threading.Lock()

    def spends(visit: Visit) -> None:
        most = visit.body["max_tokens"]
        used = most if visit.number % 2 else 1
        with lock:
            counted[0] += 20 + used
        visit.json(completion("x", usage={"prompt_tokens": 20, "completion_tokens": used}))

    made = provider(spends)
    gateway = run(endpoint(made, max_output_tokens=300), budget=Budget(whole=Allowance(tokens=cap)))
    statuses: list[int] = []

    def ask(number: int) -> None:
        statuses.append(gateway.ask(scope=f"agent{number}")[0])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(1_000)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert set(statuses) == {200, 402}
    assert counted[0] <= cap
    # Nor is much of it left over: less than one more call could use.
    while gateway.ask()[0] == 200:
        pass
    assert cap - 2 * 400 < counted[0] <= cap
    figures = gateway.figures.models["m"]
    assert figures.prompt_tokens + figures.completion_tokens == counted[0]


def test_a_call_that_was_cut_off_counts_as_all_it_could_have_used(provider, run) -> None:
    released, cancelled = threading.Event(), threading.Event()
    made = provider(hangs(released))
    budget = Budget(whole=Allowance(tokens=1_500))
    gateway = run(endpoint(made, max_output_tokens=1_000), budget=budget)
    asks = threading.Thread(target=lambda: gateway.ask(cancelled=cancelled))
    asks.start()
    while not made.visits:
        pass
    cancelled.set()
    asks.join(10)
    released.set()
    assert "are used" in used_up(gateway)


def test_a_refused_call_costs_nothing(provider, run) -> None:
    made = provider(in_turn(refuses(422), refuses(422), says("hi")))
    budget = Budget(whole=Allowance(tokens=1_500, calls=1))
    gateway = run(endpoint(made, max_output_tokens=1_000), budget=budget)
    assert [gateway.ask()[0] for _ in range(3)] == [422, 422, 200]


def test_attempts_that_may_have_cost_something_count(provider, run) -> None:
    half = event(chunk({"content": "Hel"}))
    made = provider(in_turn(dies_after(half), says("hello")))
    budget = Budget(whole=Allowance(tokens=1_500))
    gateway = run(endpoint(made, max_output_tokens=1_000), budget=budget)
    assert "budget_exhausted" in gateway.error()[1]
    assert len(made.visits) == 1


def test_the_refusal_names_the_budget_and_what_was_spent_on_what(provider, run) -> None:
    made = provider(says("hi"))
    budget = Budget(whole=Allowance(calls=3))
    gateway = run(endpoint(made, "m"), endpoint(made, "n"), budget=budget)
    for name in "mnm":
        gateway.text(model=name)
    assert used_up(gateway) == (
        "the budget of the run (`run.budget`) has no room for a call of `m`: 3 of 3 calls are "
        "made; spent and reserved: m 50 tokens in 2 calls, n 25 tokens in 1 calls"
    )
    [ended] = [each for each in gateway.ended() if each.error]
    assert (ended.code, ended.final) == ("budget_exhausted", True)


def test_each_agent_with_what_it_spawned(provider, run) -> None:
    made = provider(says("hi"))
    parents = {"child": "one", "grandchild": "child", "other": "root"}
    budget = Budget(per_agent=Allowance(calls=2))
    gateway = run(endpoint(made), budget=budget, parents=parents)
    gateway.text(scope="grandchild")
    gateway.text(scope="child")
    for scope in ("child", "grandchild", "one"):
        status, code, words = gateway.error(scope=scope)
        assert (status, code) == (402, "budget_exhausted")
        assert "run.budget.per_agent" in words
    assert gateway.text(scope="other") == "hi"


def test_dollars(provider, run) -> None:
    made = provider(says("hi"))
    price = {"input": 1_000.0, "output": 10_000.0}
    budget = Budget(whole=Allowance(usd=0.30))
    gateway = run(endpoint(made, price=price, max_output_tokens=10), budget=budget)
    assert [gateway.ask()[0] for _ in range(4)] == [200, 200, 200, 402]
    assert gateway.figures.models["m"].cost == pytest.approx(3 * (0.02 + 0.05))
    assert "of $0.3 are spent" in used_up(gateway)


def test_dollars_of_a_model_without_a_price_are_not_guessed(provider, run) -> None:
    made = provider(says("hi"))
    gateway = run(endpoint(made), budget=Budget(whole=Allowance(usd=1.0)))
    assert used_up(gateway) == (
        "the price of `m` is unknown, so `run.budget.usd` cannot be kept; give the model a `price`"
    )


def test_an_answer_is_limited_to_what_is_left(provider, run) -> None:
    made = provider(says("hi"))
    gateway = run(endpoint(made), budget=Budget(whole=Allowance(tokens=1_000)))
    gateway.text()
    assert 256 <= made.asked[0]["max_tokens"] < 1_000


def test_scripted_models_count_too(run) -> None:
    script = {"rules": [{"answer": {"text": "hi"}}]}
    model = Model(name="m", kind="scripted", settings=script)
    gateway = run(model, budget=Budget(whole=Allowance(calls=1)))
    assert gateway.text() == "hi"
    assert "1 of 1 calls" in used_up(gateway)


@given(
    st.lists(
        st.tuples(st.integers(0, 500), st.integers(1, 500), st.floats(0, 1), st.booleans()),
        max_size=40,
    )
)
def test_what_is_reserved_and_settled_never_passes_the_cap(calls: list[Any]) -> None:
    cap, price, spent = 2_000, Price.flat(1.0, 2.0), 0
    ledger = Ledger(Budget(whole=Allowance(tokens=cap)), lambda _: None)
    for prompt, answer, share, counted in calls:
        try:
            held = ledger.reserve("a", "m", prompt, answer, price)
        except ModelError:
            assert spent + prompt + answer > cap
            continue
        used = Tokens(prompt, int(share * answer)) if counted else None
        ledger.settle(held, used, price)
        spent += prompt + answer if used is None else used.total
        assert spent <= cap


def test_a_prompt_that_goes_on_counts_by_what_is_new() -> None:
    estimates, key = Estimates(), ("000000", "assistant", "m")
    first = b'[[],[{"role":"user","content":"' + b"x" * 1_000 + b'"}]]'
    assert estimates.bound(key, first) == len(first)
    estimates.learn(key, first, 250)
    longer = first[:-2] + b',{"role":"user","content":"more"}]]'
    assert 250 < estimates.bound(key, longer) < 300
    other = first.replace(b"xx", b"yy", 1)
    assert estimates.bound(key, other) == len(other)
