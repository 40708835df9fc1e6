"""WM01: files and TOML syntax."""

from typing import Final

from wasmind_compiler.diagnostics.model import Severity
from wasmind_compiler.diagnostics.registry import Example, Rule

_DEEP: Final = """\
starting_actors = ["echo"]

[actors.echo]
source = {{ path = "echo" }}
config = {{ deep = {} }}
"""

UNREADABLE = Rule(
    code="WM0101",
    title="file cannot be read",
    explanation="""
A file that the config leads to exists but could not be read. The message carries the reason the
operating system gave.
""",
    example=Example(
        failing="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
""",
        others={
            "desk/Wasmind.toml/a-folder-instead-of-a-file": "",
        },
    ),
)

NOT_UTF8 = Rule(
    code="WM0102",
    title="file is not UTF-8",
    explanation="""
TOML files are UTF-8. The span is the first byte that is not. Editors on Windows sometimes save
UTF-16 or Latin-1; save the file as UTF-8 again.
""",
    example=Example(
        failing=b"""\
# caf\xe9
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
""",
        fixed="""\
# café
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
""",
    ),
)

TOML_SYNTAX = Rule(
    code="WM0103",
    title="TOML syntax error",
    explanation="""
The file is not valid TOML, so nothing in it can be checked until this is mended. The span is the
place where reading could not go on; the cause is there or just before it.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
auto_spawn: true
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
auto_spawn = true
""",
    ),
)

OPEN_STRING = Rule(
    code="WM0104",
    title="string that is never closed",
    explanation="""
A string begins and nothing ends it. A string in single or double quotes ends on its own line; text
of several lines stands in three quotes on each side. The span is the opening quote.
""",
    example=Example(
        failing="""\
name = "my agents
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
""",
        fixed="""\
name = "my agents"
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
""",
    ),
)

BAD_ESCAPE = Rule(
    code="WM0105",
    title="bad escape in a string",
    explanation="""
In double quotes a backslash begins an escape: `\\n`, `\\t`, `\\"`, `\\\\`, `\\u00e9`. Paths of
Windows and regular expressions are easier in single quotes, where a backslash is an ordinary
character.
""",
    example=Example(
        failing=r"""starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
config = { pattern = "\d+" }
""",
        fixed=r"""starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
config = { pattern = '\d+' }
""",
    ),
)

DUPLICATE_KEY = Rule(
    code="WM0106",
    title="key given twice",
    explanation="""
A table has one value for a key. A second one, also in the form of a header or of a dotted key, is
refused rather than letting the later win.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
auto_spawn = false
auto_spawn = true
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
auto_spawn = true
""",
    ),
)

TABLE_TWICE = Rule(
    code="WM0107",
    title="table defined twice",
    explanation="""
A `[table]` is written in one place. Two sections of one name are joined by hand.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[actors.echo]
auto_spawn = true
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
auto_spawn = true
""",
    ),
)

TABLE_OR_ARRAY = Rule(
    code="WM0108",
    title="table instead of an array of tables",
    explanation="""
`[litellm.models]` is one table, `[[litellm.models]]` is an element of a list of tables: each of its
elements begins with doubled brackets. A section of an element, like
`[litellm.models.litellm_params]`, stands below the element it belongs to.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[[litellm.models]]
model_name = "small"
litellm_params = { model = "openai/some-model" }

[litellm.models]
model_name = "large"
litellm_params = { model = "openai/other-model" }
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[[litellm.models]]
model_name = "small"
litellm_params = { model = "openai/some-model" }

[[litellm.models]]
model_name = "large"
litellm_params = { model = "openai/other-model" }
""",
    ),
)

LARGE_NUMBER = Rule(
    code="WM0109",
    title="number out of range",
    explanation="""
Integers of TOML have 64 bits. An identifier that happens to consist of digits is a string.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
config = { account = 123456789012345678901234 }
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
config = { account = "123456789012345678901234" }
""",
    ),
)

BYTE_ORDER_MARK = Rule(
    code="WM0110",
    title="byte-order mark",
    severity=Severity.NOTE,
    explanation="""
Some editors on Windows put three bytes in front of UTF-8. They are harmless here and in the way of
other programs.
""",
    example=Example(
        failing=b"""\
\xef\xbb\xbfstarting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
""",
    ),
)

TOO_LARGE = Rule(
    code="WM0111",
    title="file too large or nested too deeply",
    explanation="""
Configs and manifests are small. A file of more than 4 MiB, or with values nested more than 64
deep, is refused before it costs memory and time.
""",
    example=Example(
        failing=_DEEP.format("[" * 65 + "]" * 65),
        fixed=_DEEP.format("[[[]]]"),
    ),
)

LINE_END_IN_INLINE_TABLE = Rule(
    code="WM0112",
    title="inline table over several lines",
    explanation="""
A table in braces is written on one line in TOML 1.0. A table of more than a few keys is easier to
read as a `[section]` of its own. Arrays may go over several lines.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = {
    path = "echo",
}
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
""",
    ),
)

MERGE_CONFLICT = Rule(
    code="WM0113",
    title="unresolved merge conflict",
    explanation="""
A merge left conflict markers in the file: lines that begin with `<<<<<<<`, `=======` or `>>>>>>>`.
Between them are the versions of both sides; keep what is right and remove the markers. Nothing else
in the file is judged before. Markers inside of strings, such as prompts, are left alone.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
<<<<<<< HEAD
config = { greeting = "Hello" }
=======
config = { greeting = "Good morning" }
>>>>>>> polite
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
config = { greeting = "Good morning" }
""",
    ),
)
