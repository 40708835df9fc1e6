"""What the model is told about using the tool well."""

from __future__ import annotations

from typing import Final

GUIDE: Final = """
Runs a command line on the user's machine: builds, tests, version control, system tasks, looking
around in files.

Search with `rg` rather than `grep -r`, and with `fd` rather than `find`: both skip what .gitignore
names and are much faster.

- where is it defined: `rg -n "def parse_config"`
- which tests are there: `fd -e py test_`
- what does the project look like: `tree -L 2 -I "node_modules|target|.venv"`
- matches with their surroundings: `rg -n -C 3 "TODO"`
- how many matches in each file: `rg -c "import json"`

Look before you dive: list a folder first, sample a big file with `head` or `tail`, count with
`wc -l`, narrow a search to a file type (`rg -t py ...`).

Every call starts a new shell: a `cd` or a variable is gone in the next call. Nothing outlives a
call either: what was started with `&`, `nohup` or `setsid` is ended when the call returns, so start
a server and use it within one call.

Output is limited: of a long one you see its start and its end, and how much is missing between
them; then filter with a pipe. A program takes no argument of more than 131071 bytes: pipe long text
into it, or write it to a file with a here-document.
"""
