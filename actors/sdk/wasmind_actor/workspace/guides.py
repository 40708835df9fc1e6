"""What the model is told about files."""

from __future__ import annotations

from typing import Final

READ_GUIDE: Final = """
Reads a text file; the path is absolute or relative to the working directory. The content is not in
the answer: it appears in the section FilesReadAndEdited of this prompt, always in its current form,
so there is no need to read a file twice. Files of more than 64 KiB are read by ranges of lines.
"""

EDIT_GUIDE: Final = """
Changes a file by exact search and replace. Either all edits of a call are applied, in order, or
none.

- Read a file before you edit it. If it has changed on disk meanwhile, read it again.
- Copy `old_string` exactly from FilesReadAndEdited, white space included, without the `NUMBER:` at
  the beginning of lines.
- It must occur once. If it occurs more often, add a line before or after it, or set `replace_all`.

Change a function: `{"path": "src/app.py", "edits": [{"old_string": "def area(r):\\n    return r",
"new_string": "def area(r):\\n    return 3.14159 * r * r"}]}`

Make a file (missing folders are made too): `{"path": "src/new.py", "edits": [{"old_string": "",
"new_string": "print('hello')\\n"}]}`

Rename everywhere in a file: `{"path": "src/app.py", "edits": [{"old_string": "old_name",
"new_string": "new_name", "replace_all": true}]}`
"""

TEMPLATE: Final = """\
Working directory: {{ data.working_directory }}
Every file you have read or edited, as it was after the last read or edit:
{% for file in data.files %}
<file path="{{ file.path }}">
{{ file.content }}
</file>
{% endfor %}"""
