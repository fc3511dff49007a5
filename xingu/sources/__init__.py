"""Read declared outside data, databases and files, into frames, through a cache.

The drivers are imported when something is connected to, never before. Knows nothing of Dagster, of
DataProviders, or of where settings come from.
"""

from xingu.extras import needs
from xingu.sources.cache import SourceCache
from xingu.sources.databases import Connection, Databases
from xingu.sources.digest import frame_digest
from xingu.sources.reading import SourceResult, observe_source, read_sources
from xingu.sources.spec import SourceSpec, SqlSource, UrlSource, parse_sources

needs("sources", "filelock", "sqlalchemy")

__all__ = [
    "Connection",
    "Databases",
    "SourceCache",
    "SourceResult",
    "SourceSpec",
    "SqlSource",
    "UrlSource",
    "frame_digest",
    "observe_source",
    "parse_sources",
    "read_sources",
]
