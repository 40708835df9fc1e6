"""All classes of seeded defects, by area of the catalogue."""

from __future__ import annotations

from typing import Final

from tests.defects.classes import (
    agents,
    graph,
    habits,
    interface,
    keys,
    models,
    names,
    repositories,
    settings,
    sources,
    syntax,
    values,
)
from tests.defects.defect import Defect

CLASSES: Final[tuple[Defect, ...]] = (
    *syntax.CLASSES,
    *keys.CLASSES,
    *values.CLASSES,
    *sources.CLASSES,
    *repositories.CLASSES,
    *names.CLASSES,
    *graph.CLASSES,
    *habits.CLASSES,
    *agents.CLASSES,
    *models.CLASSES,
    *settings.CLASSES,
    *interface.CLASSES,
)
