"""WM01: files and TOML syntax."""

from wasmind_compiler.diagnostics.registry import Example, Rule

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
source = { path = "echo"
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
""",
    ),
)
