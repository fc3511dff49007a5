"""Saved Models: packages, current trains, pins. Uses the model storage only, no database."""
