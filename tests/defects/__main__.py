"""Prints the figures of the seeded-defect suite: `python -m tests.defects [--verbose]`."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.defects.classes import CLASSES
from tests.defects.measure import Figures, measure, misses
from tests.defects.systems import NAMES, Laboratory


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Laboratory(Path(folder) / "systems"), CLASSES)
    show(figures, verbose="--verbose" in sys.argv[1:])


def show(figures: Figures, *, verbose: bool) -> None:
    for reason, outcome in misses(figures):
        planted = outcome.planted
        print(f"{reason}: {outcome.defect.title}: {planted.system}/{planted.file}: {planted.new!r}")
        if verbose:
            print("".join(f"    {line}\n" for line in outcome.said), end="")
    for line in figures.false_positives:
        print(f"false positive: {line}")
    areas = Counter(outcome.defect.area for outcome in figures.outcomes)
    print(f"classes           {figures.classes:6}")
    print(f"instances         {len(figures.outcomes):6}")
    print("  by area         " + ", ".join(f"{area}: {n}" for area, n in sorted(areas.items())))
    print(f"found             {figures.found:7.1%}   (at least 98 %)")
    print(f"span exact        {figures.exact:7.1%}   (at least 95 %)")
    print(f"typos fixed       {figures.typos_fixed:7.1%}   (at least 80 %)")
    print(f"others fixed      {figures.others_fixed:7.1%}")
    print(f"no other error    {figures.alone:7.1%}")
    print(f"false positives   {len(figures.false_positives):6}   over {len(NAMES)} systems (none)")


if __name__ == "__main__":
    main()
