"""`wasmind clean`: empty the cache."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from wasmind.cli.sizes import human, tree_size
from wasmind.paths import cache_dir


@click.command(name="clean")
@click.option("--dry-run", "-n", is_flag=True, help="Say what would be removed, remove nothing.")
def command(*, dry_run: bool) -> None:
    """Remove everything the cache holds and say how much it was.

    The cache holds the Python interpreter component, native code, compiled actors, bundles of `run`
    and git sources. All of it is made again when it is needed; nothing else is touched.
    """
    cache = cache_dir()
    parts = sorted(cache.iterdir()) if cache.is_dir() else []
    if not parts:
        click.echo(f"nothing to clean: {cache}")
        return
    total_files, total_bytes = 0, 0
    for part in parts:
        files, size = tree_size(part)
        total_files, total_bytes = total_files + files, total_bytes + size
        click.echo(f"  {part.name:<14} {human(size):>10}  {files} files")
        if not dry_run:
            _remove(part)
    verb = "would remove" if dry_run else "removed"
    click.echo(f"{verb} {human(total_bytes)} in {total_files} files: {cache}")


def _remove(part: Path) -> None:
    try:
        if part.is_dir() and not part.is_symlink():
            shutil.rmtree(part)
        else:
            part.unlink()
    except FileNotFoundError:  # another process cleans too
        return
    except OSError as error:
        raise click.ClickException(f"cannot remove {part}: {error.strerror}") from None
