"""WM07: components, their imports and exports, and capabilities."""

from wasmind_compiler.diagnostics.model import Severity
from wasmind_compiler.diagnostics.registry import Example, Rule

NOT_GRANTED = Rule(
    code="WM0701",
    title="capability needed but not granted",
    explanation="""
The actor uses a capability that its `grants` table leaves out. With a `grants` table an actor gets
what is listed there and nothing else; without one it gets what it declares.
""",
    example=Example(
        failing="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
grants = { logger = true }
""",
        fixed="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
grants = { http = true }
""",
        others={
            "desk/Wasmind.toml": """\
actor_id = "example:desk"
build.component = "desk.wasm"
""",
            "desk/desk.wasm": """\
(component
  (import "wasmind:actor/http@0.1.0" (instance))
  (instance $actor)
  (export "wasmind:actor/actor@0.1.0" (instance $actor))
)
""",
        },
    ),
)

UNUSED_GRANT = Rule(
    code="WM0702",
    title="capability granted but not used",
    severity=Severity.WARNING,
    explanation="""
The actor never uses the capability. Grants that are not needed only wait to be misused.
""",
    example=Example(
        failing="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
grants = { http = true }
""",
        fixed="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
grants = {}
""",
        others={
            "desk/Wasmind.toml": """\
actor_id = "example:desk"
build.component = "desk.wasm"
""",
            "desk/desk.wasm": """\
(component
  (instance $actor)
  (export "wasmind:actor/actor@0.1.0" (instance $actor))
)
""",
        },
    ),
)

CORE_MODULE = Rule(
    code="WM0703",
    title="core module instead of a component",
    explanation="""
The file is a WebAssembly core module. Actors are components: build with a toolchain that makes
components, such as `cargo component`, or wrap the module with `wasm-tools component new`.
""",
    example=Example(
        file="desk/desk.wasm",
        failing="""\
(module)
""",
        fixed="""\
(component
  (instance $actor)
  (export "wasmind:actor/actor@0.1.0" (instance $actor))
)
""",
        others={
            "app.toml": """\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
""",
            "desk/Wasmind.toml": """\
actor_id = "example:desk"
build.component = "desk.wasm"
""",
        },
    ),
)

UNREADABLE_COMPONENT = Rule(
    code="WM0704",
    title="unreadable component",
    explanation="""
The file is not WebAssembly, or it is damaged.
""",
    example=Example(
        file="desk/desk.wasm",
        failing=b"""\
not WebAssembly""",
        fixed="""\
(component
  (instance $actor)
  (export "wasmind:actor/actor@0.1.0" (instance $actor))
)
""",
        others={
            "app.toml": """\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
""",
            "desk/Wasmind.toml": """\
actor_id = "example:desk"
build.component = "desk.wasm"
""",
        },
    ),
)

UNKNOWN_IMPORT = Rule(
    code="WM0705",
    title="import that the host does not offer",
    explanation="""
The component imports an interface that Wasmind does not provide, or another version of one that it
does provide. It could not be started.
""",
    example=Example(
        file="desk/desk.wasm",
        failing="""\
(component
  (import "wasi:sockets/tcp@0.1.0" (instance))
  (instance $actor)
  (export "wasmind:actor/actor@0.1.0" (instance $actor))
)
""",
        fixed="""\
(component
  (instance $actor)
  (export "wasmind:actor/actor@0.1.0" (instance $actor))
)
""",
        others={
            "app.toml": """\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
""",
            "desk/Wasmind.toml": """\
actor_id = "example:desk"
build.component = "desk.wasm"
""",
        },
    ),
)

MISSING_EXPORT = Rule(
    code="WM0706",
    title="component is not an actor",
    explanation="""
An actor exports the interface `wasmind:actor/actor@0.1.0`.
""",
    example=Example(
        file="desk/desk.wasm",
        failing="""\
(component
  (instance $actor)
  (export "example:other/thing@0.1.0" (instance $actor))
)
""",
        fixed="""\
(component
  (instance $actor)
  (export "wasmind:actor/actor@0.1.0" (instance $actor))
)
""",
        others={
            "app.toml": """\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
""",
            "desk/Wasmind.toml": """\
actor_id = "example:desk"
build.component = "desk.wasm"
""",
        },
    ),
)

DECLARED_DIFFERS = Rule(
    code="WM0707",
    title="capability used but not declared",
    explanation="""
The manifest has a `[capabilities]` table that leaves out a capability the component imports. Users
read that table to decide what to trust, so it has to be complete.
""",
    example=Example(
        file="desk/Wasmind.toml",
        failing="""\
actor_id = "example:desk"
build.component = "desk.wasm"

[capabilities]
logger = true
""",
        fixed="""\
actor_id = "example:desk"
build.component = "desk.wasm"

[capabilities]
http = true
""",
        others={
            "app.toml": """\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
""",
            "desk/desk.wasm": """\
(component
  (import "wasmind:actor/http@0.1.0" (instance))
  (instance $actor)
  (export "wasmind:actor/actor@0.1.0" (instance $actor))
)
""",
        },
    ),
)

PROGRAM_NOT_GRANTED = Rule(
    code="WM0708",
    title="program not among those granted",
    explanation="""
The actor starts a program that `command.programs` leaves out, so the call would be refused. It is
an error if none of the programs in the actor's code is granted, and a note if some are: that may be
meant. Actors whose code does not say which programs they start are not judged.
""",
    example=Example(
        failing="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
grants = { command = { programs = ["ls"] } }
""",
        fixed="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
grants = { command = { programs = ["bash"] } }
""",
        others={
            "desk/Wasmind.toml": """\
actor_id = "example:desk"
""",
            "desk/actor.py": """\
from wasmind_actor import Actor, command, tool


class Desk(Actor):
    @tool
    def clean(self) -> str:
        \"\"\"Cleans the desk.\"\"\"
        return command.run("bash", "-c", "make clean").stdout.decode()
""",
        },
    ),
)

FILES_NOT_GRANTED = Rule(
    code="WM0709",
    title="files through WASI without a grant",
    severity=Severity.NOTE,
    explanation="""
The component can open files through WASI, and the actor was granted no folder. Every path is then
refused inside the component itself, usually as "Capabilities insufficient (os error 76)". Grant
folders if the actor works on files, or refuse them with `filesystem = false` to silence this note.
""",
    example=Example(
        failing="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
""",
        fixed="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
grants = { filesystem = { read = ["notes"] } }
""",
        others={
            "desk/Wasmind.toml": """\
actor_id = "example:desk"
build.component = "desk.wasm"
""",
            "desk/desk.wasm": """\
(component
  (import "wasi:filesystem/types@0.2.3" (instance
    (export "descriptor" (type $descriptor (sub resource)))
    (export "[method]descriptor.open-at" (func (param "self" (borrow $descriptor))))
  ))
  (instance $actor)
  (export "wasmind:actor/actor@0.1.0" (instance $actor))
)
""",
        },
    ),
)

PROGRAM_STARTS_OTHERS = Rule(
    code="WM0710",
    title="granted program starts others",
    severity=Severity.WARNING,
    explanation="""
A list of programs limits an actor only if none of them starts others. Many do: shells and
interpreters, `env`, `find` and `xargs` by their arguments, `git` and `tar` by options (`-c
alias.x='!...'`, `--to-command`), `ssh` by its settings, and whatever builds or tests a project by
the project's files. An actor with one of them can run whatever the user can, as with `command =
true`.

Leave them out where that matters. Where it does not, `command = true` says the same without a
warning. Programs this rule does not know may start others as well. Variables that choose code
(`LD_PRELOAD`, `PYTHONPATH`, `GIT_SSH_COMMAND`, `PATH` and their like) cannot be set by actors with
a list.
""",
    example=Example(
        failing="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
grants = { command = { programs = ["ls", "git"] } }
""",
        fixed="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
grants = { command = { programs = ["ls"] } }
""",
        others={
            "desk/Wasmind.toml": """\
actor_id = "example:desk"
""",
            "desk/actor.py": """\
from wasmind_actor import Actor, command, tool


class Desk(Actor):
    @tool
    def look(self) -> str:
        \"\"\"Looks at the desk.\"\"\"
        return command.run("ls").stdout.decode()
""",
        },
    ),
)
