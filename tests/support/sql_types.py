"""Types of SQL and the dtypes of their frames, which every database gives."""

import datetime as dt

import pandas as pd

FLOAT, TEXT = "float64", str(pd.Series(["x"]).dtype)
UTC = dt.UTC
MOMENT = pd.Timestamp("2024-01-02 03:04:05.123456")
KEY = 2**53 + 1  # float64 rounds it
HUGE = 2**64 + 1
LAST, FIRST = dt.datetime.max, dt.datetime.min

# Column: type in SQL, three values in SQL, the dtype and the values of the frame.
COMMON = {
    "whole": ("BIGINT", ("1", "2", "3"), "int64", [1, 2, 3]),
    "whole_null": ("INTEGER", ("1", "NULL", "3"), FLOAT, [1.0, None, 3.0]),
    "real": ("DOUBLE PRECISION", ("1.5", "2.25", "-3"), FLOAT, [1.5, 2.25, -3.0]),
    "real_null": ("DOUBLE PRECISION", ("NULL", "2.25", "0.1"), FLOAT, [None, 2.25, 0.1]),
    "word": ("TEXT", ("'a'", "''", "'ção'"), TEXT, ["a", "", "ção"]),
    "word_null": ("TEXT", ("'a'", "NULL", "'12:30'"), TEXT, ["a", None, "12:30"]),
    "missing": ("TEXT", ("NULL", "NULL", "NULL"), FLOAT, [None, None, None]),
    "key_null": ("BIGINT", (f"{KEY}", "NULL", f"{KEY + 1}"), "Int64", [KEY, pd.NA, KEY + 1]),
    "key_wide": ("NUMERIC(20,0)", (f"{KEY}", f"{KEY + 1}", "7"), "int64", [KEY, KEY + 1, 7]),
    "wide_null": ("NUMERIC(18,0)", ("NULL", f"-{KEY}", "7"), "Int64", [pd.NA, -KEY, 7]),
    "total": ("NUMERIC(20,0)", ("1", "NULL", "7"), FLOAT, [1.0, None, 7.0]),
    "price": ("NUMERIC(10,2)", ("1.25", "NULL", "10.10"), FLOAT, [1.25, None, 10.1]),
}
DAY, CLOCK = dt.date(2024, 1, 2), dt.time(3, 4, 5)
TYPED = {
    "small": ("SMALLINT", ("1", "2", "3"), "int64", [1, 2, 3]),
    "single": ("REAL", ("0.1", "NULL", "-2.5"), FLOAT, [0.1, None, -2.5]),
    "flag": ("BOOLEAN", ("true", "false", "true"), "bool", [True, False, True]),
    "flag_null": ("BOOLEAN", ("true", "NULL", "false"), "object", [True, None, False]),
    "day": ("DATE", ("'2024-01-02'", "NULL", "'2024-01-02'"), "object", [DAY, None, DAY]),
    "clock": ("TIME", ("'03:04:05'", "NULL", "'03:04:05'"), "object", [CLOCK, None, CLOCK]),
    "moment": ("TIMESTAMP", (f"'{MOMENT}'",) * 3, "datetime64[us]", [MOMENT] * 3),
    "moment_null": (
        *("TIMESTAMP", (f"'{MOMENT}'", "NULL", "NULL"), "datetime64[us]"),
        [MOMENT, pd.NaT, pd.NaT],
    ),
    "zoned": (
        *("TIMESTAMPTZ", ("'2024-01-02 03:04:05+02'", "NULL", "'2024-07-02 03:04:05+03'")),
        "datetime64[us, UTC]",
        [pd.Timestamp("2024-01-02 01:04:05Z"), pd.NaT, pd.Timestamp("2024-07-02 00:04:05Z")],
    ),
    "until": (
        *("TIMESTAMP", ("'infinity'", "NULL", "'-infinity'"), "datetime64[us]"),
        [LAST, pd.NaT, FIRST],
    ),
    "until_zoned": (
        *("TIMESTAMPTZ", ("'infinity'", f"'{MOMENT}Z'", "'-infinity'"), "datetime64[us, UTC]"),
        [LAST.replace(tzinfo=UTC), MOMENT.tz_localize(UTC), FIRST.replace(tzinfo=UTC)],
    ),
    "until_day": (
        *("DATE", ("'infinity'", "NULL", "'-infinity'"), "object"),
        [LAST.date(), None, FIRST.date()],
    ),
    "huge": ("NUMERIC(30,0)", (f"{HUGE}", "NULL", "7"), "object", [HUGE, None, 7]),
    "volume": ("NUMERIC(30,2)", (f"{HUGE}.5", "NULL", "7"), FLOAT, [float(HUGE), None, 7.0]),
    "span": (
        *("INTERVAL", ("INTERVAL '26 hours'", "NULL", "INTERVAL '1 second'")),
        "timedelta64[us]",
        [pd.Timedelta(hours=26), pd.NaT, pd.Timedelta(seconds=1)],
    ),
    "id": (
        *("UUID", ("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "NULL", "NULL")),
        TEXT,
        ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", None, None],
    ),
}
