"""Saved values and models: files, frames, checksums, pointers."""
