"""Read declared sources, databases and files, into DataFrames, through a cache.

Database drivers and pyarrow.parquet are imported on first use, because every process imports this
package. URLs and the cache folder are passed in; settings are not read here.
"""

from xingu.extras import needs
from xingu.sources.cache import SourceCache
from xingu.sources.databases import Connection, Databases
from xingu.sources.digest import frame_digest
from xingu.sources.observing import Limits, observe_source, observe_sources
from xingu.sources.questions import Memory, Watched
from xingu.sources.reading import SourceResult, read_sources
from xingu.sources.spec import AssetSource, SourceSpec, SqlSource, UrlSource, parse_sources
from xingu.sources.tables import table_query

needs("sources", "filelock", "sqlalchemy", "sqlglot")

__all__ = [
    "AssetSource",
    "Connection",
    "Databases",
    "Limits",
    "Memory",
    "SourceCache",
    "SourceResult",
    "SourceSpec",
    "SqlSource",
    "UrlSource",
    "Watched",
    "frame_digest",
    "observe_source",
    "observe_sources",
    "parse_sources",
    "read_sources",
    "table_query",
]
