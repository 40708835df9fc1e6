"""`wasmind lock`: pin what a config resolves to."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from wasmind.cli import compiling, lock_options, terminal

#: What `--upgrade` stands for without a name.
_ALL: Final = "*"


@click.command(name="lock")
@compiling.config_argument
@click.option("--check", "check_only", is_flag=True, help="The same as --frozen.")
@click.option(
    "-U",
    "--upgrade",
    metavar="[NAME]",
    is_flag=False,
    flag_value=_ALL,
    multiple=True,
    help="Look refs up again: of the source that actor NAME comes from, or of all sources.",
)
@click.option(
    "--accept-moved-tags", is_flag=True, help="With --upgrade: follow tags that were moved."
)
@click.option("-v", "--verbose", is_flag=True, help="Say which hosts were asked.")
@lock_options.acceptance
@lock_options.lock_mode
@click.pass_context
def command(
    context: click.Context,
    config: Path | None,
    config_option: Path | None,
    upgrade: tuple[str, ...],
    *,
    check_only: bool,
    accept_moved_tags: bool,
    verbose: bool,
    accept_capabilities: bool,
    locked: bool,
    frozen: bool,
    offline: bool,
) -> None:
    """Write the lockfile beside a config: every actor with its source, digest and capabilities.

    The file is named like the config, ends in `.lock` and belongs in version control. Refs of git
    sources are looked up once; from then on the lockfile decides, until --upgrade. It is written
    only if something changed, and then only the lines that changed differ. It also records the
    Python interpreter of this Wasmind; with another one, bundles have other bytes.

    --check uses neither network nor write access: what is not in the cache is an error.

    \b
    wasmind lock
    wasmind lock --check               in CI: fail if somebody forgot to lock
    wasmind lock --upgrade             move all branches, tags and default branches
    wasmind lock --upgrade assistant   only the repository this actor comes from

    What fetching may cost and use is set by WASMIND_GIT_SECONDS, WASMIND_GIT_MIB,
    WASMIND_GIT_FILES, WASMIND_GIT_FOLDER_MIB, and WASMIND_GIT_HOSTS, which lists the only hosts
    that sources may come from, like `github.com, *.example.org`.

    Exit codes: 0 done, 1 errors in the input or a stale lockfile, 2 the request or the machine is
    at fault.
    """
    names, config = _names(upgrade, config)
    if upgrade and (check_only or locked or frozen or offline):
        raise click.UsageError("--upgrade looks refs up, which the other options forbid")
    if accept_moved_tags and not upgrade:
        raise click.UsageError("--accept-moved-tags goes with --upgrade, which looks tags up")
    path = compiling.find_config(context, config, config_option)
    policy = lock_options.policy(
        locked=locked,
        frozen=frozen or check_only,
        offline=offline,
        accept_capabilities=accept_capabilities,
        accept_moved_tags=accept_moved_tags,
        upgrade=frozenset(names - {_ALL}),
        upgrade_all=_ALL in names,
    )
    with compiling.compilation():
        from wasmind_compiler import pipeline

        outcome = pipeline.lock(path, compiling.environment(hosts=verbose), policy)
    path = compiling.result(outcome.report, outcome.path)
    state = "written" if outcome.changed else "up to date"
    terminal.result(f"{path}: {state}")


def _names(upgrade: tuple[str, ...], config: Path | None) -> tuple[set[str], Path | None]:
    """What to upgrade, and the config.

    `--upgrade` swallows the word behind it, so that `lock --upgrade app.toml` has the config there.
    """
    names = set(upgrade)
    configs = [name for name in upgrade if name.endswith(".toml") and Path(name).is_file()]
    if config is None and len(configs) == 1:
        return (names - {configs[0]}) | {_ALL}, Path(configs[0])
    return names, config
