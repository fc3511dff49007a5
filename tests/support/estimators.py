"""Frames that estimators are tried on."""

import numpy as np
import pandas as pd

FEATURES = ["size", "rooms", "colour"]
NUMBERS = ["size", "rooms"]


def houses(rows: int = 400, seed: int = 0, target: str = "number") -> pd.DataFrame:
    """Rows whose `price` follows from the features; the index is text and not sorted."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "size": rng.normal(size=rows),
            "rooms": rng.integers(1, 9, rows),
            "colour": rng.choice(["red", "green", "blue"], rows),
        },
        index=pd.Index([f"house {number}" for number in rng.permutation(rows)], name="house"),
    )
    value = frame["size"] * 3 + frame.rooms + (frame.colour == "red") * 5
    frame["price"] = {
        "number": value,
        "bool": value > 7,
        "three": pd.cut(value, [-99, 5, 8, 99], labels=[10, 20, 30]).astype(int),
        "text": pd.cut(value, [-99, 5, 8, 99], labels=["low", "mid", "top"]).astype(str),
    }[target]
    return frame


def noise_sets() -> dict[str, pd.DataFrame]:
    """Two sets of houses whose `price` does not depend on the features."""
    rng = np.random.default_rng(3)
    return {name: frame.assign(price=rng.normal(size=len(frame))) for name, frame in sets().items()}


def sets(target: str = "number") -> dict[str, pd.DataFrame]:
    """Two sets of different houses."""
    return {"train": houses(400, 0, target), "val": houses(150, 1, target)}
