"""The compiler finds what was planted, says exactly where, and is silent about valid systems."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.defects.classes import CLASSES
from tests.defects.measure import Figures, measure, misses
from tests.defects.systems import Laboratory


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Figures:
    return measure(Laboratory(tmp_path_factory.mktemp("defects") / "systems"), CLASSES)


def test_there_are_enough_of_them() -> None:
    titles = Counter(defect.title for defect in CLASSES)
    assert [title for title, count in titles.items() if count > 1] == []
    assert len(titles) >= 60
    assert [each.title for each in CLASSES if len(each.instances) < 3] == []


def test_valid_systems_are_fine(figures: Figures) -> None:
    assert figures.false_positives == ()


def test_defects_are_found(figures: Figures) -> None:
    assert figures.found >= 0.98, listed(figures, "not found")


def test_spans_are_exact(figures: Figures) -> None:
    assert figures.exact >= 0.95, listed(figures, "span")


def test_typos_are_mended(figures: Figures) -> None:
    assert figures.typos_fixed >= 0.80, listed(figures, "fix")


def listed(figures: Figures, reason: str) -> str:
    lines = [
        "\n  ".join((f"{outcome.defect.title}: {outcome.planted.new!r}", *outcome.said))
        for why, outcome in misses(figures)
        if why == reason
    ]
    return "\n".join(lines)
