"""Stages of a train and of a batch: pure functions of frames, provider state and Models."""
