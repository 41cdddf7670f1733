"""Templates of word problems with programs, by theme. Importing this package registers them all."""

from tinygsm_kit.sources.templates import mixed, money, motion, people, shapes, sharing
from tinygsm_kit.sources.templates.story import TEMPLATES, Draw, Story, Template

__all__ = ["TEMPLATES", "Draw", "Story", "Template", "mixed", "money", "motion", "people", "shapes", "sharing"]
