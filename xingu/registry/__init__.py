"""Saved Models: packages, which of them is current, pins. Storage alone, no database."""
