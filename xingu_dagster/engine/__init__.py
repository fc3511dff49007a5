"""Everything that touches Dagster's internals: the executor, its storage, its compute logs.

`compat` decides, when a part is used, whether this Dagster has what the part needs; otherwise
stock Dagster takes its place.
"""
