"""Name the extra of `xingu-core` whose packages are not installed.

Loading a Model and predicting need only the dependencies of `xingu-core`. A package of `xingu` that
needs more has an extra of its own name (core/pyproject.toml) and calls `needs` before it imports.
"""

from importlib.util import find_spec

from xingu.errors import MissingExtraError

OPTIONAL = {"alerts", "aws", "signing"}
"""Extras with `needs` that the distribution `xingu` does not bring."""


def needs(extra: str, *modules: str) -> None:
    """Check that packages of an extra are installed; nothing is imported.

    Args:
        extra: Name of the extra.
        *modules: Top-level modules that the caller is about to import.

    Raises:
        MissingExtraError: If one of them is not installed.
    """
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        everything = ", or pip install xingu for everything that training needs"
        raise MissingExtraError(
            f"not installed: {', '.join(missing)}; run pip install 'xingu-core[{extra}]'"
            f"{'' if extra in OPTIONAL else everything}.",
            extra=extra,
            missing=missing,
        )
