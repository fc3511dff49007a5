"""Inspect a project without training: findings of settings, sources, storage and the control DB."""
