"""Stand in for libraries that packaged code imports but that are missing where it is loaded.

A DataProvider's file often imports libraries that only training or drawing needs. Where they cannot
be imported, the name is bound to a `MissingModule`, whose first use raises.
"""

from typing import Any, NoReturn


class MissingModule:
    """A module, or an object of a module, that cannot be imported; every use of it raises.

    It can be named in annotations, and no object is an instance of it.

    Args:
        name: Dotted name.
        importer: File and line of the import.
        reason: Message of the error of the import.
    """

    def __init__(self, name: str, importer: str, reason: str) -> None:
        self._name = name
        self._importer = importer
        self._reason = reason

    def __getattr__(self, attribute: str) -> "MissingModule":
        if attribute.startswith("_"):  # asked for by Python, and by copies, rather than by code
            raise AttributeError(attribute)
        return MissingModule(f"{self._name}.{attribute}", self._importer, self._reason)

    def __or__(self, _: object) -> "MissingModule":
        return self

    __ror__ = __or__

    def __instancecheck__(self, _: object) -> bool:
        return False

    def __subclasscheck__(self, _: object) -> bool:
        return False

    def __repr__(self) -> str:
        return f"<{self._name}, which cannot be imported>"

    def _raise(self, *_: Any, **__: Any) -> NoReturn:
        library = self._name.partition(".")[0]
        raise ModuleNotFoundError(
            f"{self._importer} imports {self._name}, which is used now, but {library} cannot be "
            f"imported here ({self._reason}); install it.",
            name=library,
        )

    __call__ = __mro_entries__ = __getitem__ = __iter__ = __enter__ = _raise
