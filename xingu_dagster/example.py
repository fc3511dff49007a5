"""Make up the data of the example that `xingu init` writes: apartments and their prices.

Python's own generator gives the same numbers in every version, so the files are always the same.
"""

import random
from collections.abc import Iterator
from datetime import date, timedelta

SEED = 7
SOLD, FOR_SALE = 1500, 60
EUROS_PER_M2 = {"Aldeia": 2100, "Barra": 3900, "Campos": 2700, "Serra": 3200}
CONDITIONS = {"new": 1.15, "good": 1.0, "to renovate": 0.8}
FIRST_DAY, DAYS = date(2023, 1, 2), 1000


def sold() -> str:
    """Return a CSV file of apartments that were sold, oldest first."""
    random_ = random.Random(SEED)  # noqa: S311
    days = sorted(random_.randrange(DAYS) for _ in range(SOLD))
    rows = (
        (f"S{1 + number:04}", FIRST_DAY + timedelta(day), *features, price)
        for number, (day, (features, price)) in enumerate(
            zip(days, _apartments(random_), strict=False)
        )
    )
    return _csv(("id", "sold_on", *FEATURES, "price"), rows)


def for_sale() -> str:
    """Return a CSV file of apartments that are for sale, without prices."""
    apartments = _apartments(random.Random(SEED + 1))  # noqa: S311
    rows = (
        (f"A{1 + number:04}", *features)
        for number, (features, _) in zip(range(FOR_SALE), apartments, strict=False)
    )
    return _csv(("id", *FEATURES), rows)


FEATURES = ("town", "size", "rooms", "built", "floor", "condition")


def _apartments(random_: random.Random) -> Iterator[tuple[tuple, int]]:
    """Yield features and price of apartments, without an end."""
    while True:
        town = random_.choice(list(EUROS_PER_M2))
        size = round(random_.triangular(25, 180, 70))
        built = random_.randint(1925, 2022)
        floor = random_.randint(0, 8)
        condition = random_.choices(list(CONDITIONS), (2, 5, 2))[0]
        rooms = max(1, round(size / 25 + random_.uniform(-0.8, 0.8)))
        worth = EUROS_PER_M2[town] * size * CONDITIONS[condition]
        worth *= 1 + 0.015 * floor + 0.002 * (built - 1980)
        price = round(worth * random_.gauss(1, 0.06), -3)
        yield (town, size, rooms, built, floor, condition), int(price)


def _csv(header: tuple[str, ...], rows: Iterator[tuple]) -> str:
    return "".join(",".join(map(str, row)) + "\n" for row in (header, *rows))
