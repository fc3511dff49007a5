"""Tests of the distributions `xingu-core` and `xingu`: declarations, archives, installations."""
