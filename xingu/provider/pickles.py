"""Pickle values for other processes, with the code that scripts and notebooks define."""

from typing import Any


def portable_pickle(value: Any) -> bytes:
    """Return a pickle that holds classes and functions of `__main__` and local ones by value.

    Those of modules are referred to by name. `pickle.loads` reads it where cloudpickle is
    installed, and a pickle with such functions only with the same minor version of Python.
    """
    import cloudpickle  # a process that only predicts does not need it

    return cloudpickle.dumps(value, protocol=5)
