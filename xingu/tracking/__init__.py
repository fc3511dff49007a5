"""The control database: what is recorded about every train. Never needed to predict."""
