"""From a config to a bundle in the cache, for `wasmind run CONFIG`."""

from __future__ import annotations

from pathlib import Path

import click

from wasmind.cli import compiling, lock_options


def link_into_cache(
    config: Path | None,
    *,
    accept_capabilities: bool = False,
    locked: bool = False,
    frozen: bool = False,
    offline: bool = False,
    models_given: bool = False,
    anew: bool = False,
) -> tuple[Path, tuple[Path, ...]]:
    """The bundle of a config, made if the cache has none; problems are shown on stderr.

    Returns:
        Its folder, and what it was made from.

    Args:
        config: the config; None for the default one.
        accept_capabilities: see `lock_options`, as the following.
        locked: the lockfile has to be current.
        frozen: locked and offline.
        offline: use no network.
        models_given: models come from the command line.
        anew: the bundle in the cache is damaged, and is replaced.

    Raises:
        SystemExit: with 1, the config has errors.
        click.ClickException: with exit code 2, there is no config, or the machine is at fault.
    """
    path = compiling.find_config(click.get_current_context(), config)
    with compiling.compilation():
        from wasmind_compiler import pipeline

        policy = lock_options.policy(
            locked=locked,
            frozen=frozen,
            offline=offline,
            accept_capabilities=accept_capabilities,
        )
        outcome = pipeline.bundle_into_cache(
            path, compiling.environment(models_given=models_given), policy, anew=anew
        )
    return compiling.result(outcome.report.urgent(), outcome.bundle).path, outcome.sources
