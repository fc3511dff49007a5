"""The Dagster layer of Xingu: it wires what `xingu` computes into an asset graph."""
