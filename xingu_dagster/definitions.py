"""The entry point of Dagster: the definitions of the project in the current folder."""

from xingu.config import Settings
from xingu_dagster.project import build_definitions

defs = build_definitions(Settings.load())
