"""The version of both distributions, `xingu-core` and `xingu`; their builds read it from here."""

__version__ = "3.0.0.dev0"
