"""What the model is told about having plans reviewed."""

from __future__ import annotations

from typing import Final

GUIDE: Final = """
Has your plan reviewed by agents who look at it from different sides, before you start.

Use it before you settle on a plan for work that is complex, risky, or new to you. Do without it for
what is simple, and once work has begun.

Write for readers who know nothing of your conversation:
- `task`: the goal and why, what the user said, constraints, what is already known (paths, names).
- `plan`: numbered steps, each with who does it, what comes out of it and how that is checked; what
  runs in parallel; what can go wrong.

Too little: "Task: fix login. Plan: look at it and fix it."
Enough: "Task: logins fail with 500 since the session table moved (commit 3fa2c1, see
src/auth/session.py); users must stay logged in. Plan: 1. Worker reproduces it in a test ..."

Take the feedback seriously: change the plan, or know why not. The order is plan, review, revise,
work.
"""
