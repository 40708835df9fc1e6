"""What the model is told about delegating well."""

from __future__ import annotations

from typing import Final

GUIDE: Final = """
Makes agents that work for you. One call can make several.

Types:
- Worker: has hands (a shell, files, what was granted). For a job that one person would do in one
  sitting.
- SubManager: has no hands, it leads agents of its own. For a part of the project with several
  steps.

Waiting: with `wait: true` you pause until an agent reports; that is how you work step by step.
Without it (the default) you go on at once; that is for jobs that have nothing in common.

Agents made in one call start at the same moment. So never put two into one call if
- both edit the same file: one overwrites the other;
- one needs what the other makes: a tester spawned beside the author tests code that is not there.

Step by step, when the second needs the first:
1. `{"agents_to_spawn": [{"agent_role": "Parser author", "agent_type": "Worker",
   "task_description": "..."}], "wait": true}`
2. when it has reported: the same with the tester.

In parallel, when nothing is shared:
`{"agents_to_spawn": [{"agent_role": "Docs writer", ...}, {"agent_role": "Benchmark author", ...}],
"wait": true}`; after the first report use `wait` for the second.

An agent knows its task description and nothing else, not even what the user said. Write down the
goal and why, paths and names, what must not change, how to verify, and what the report must hold.
"""
