"""Notebook card of a DataProvider: what it declares, reads and overrides.

No hook is called, and no data is read.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from xingu import cards
from xingu.masking import masked
from xingu.provider.class_source import owner_of, place_of
from xingu.provider.methods import FAMILIES
from xingu.texts import counted

LONGEST = 120
"""Longest text of a value, in characters."""
SOURCES = {
    "train": ("train_dataset_sources", "get_dataset_sources_for_train"),
    "batch": ("batch_predict_dataset_sources", "get_dataset_sources_for_batch_predict"),
}


def provider_card(provider: Any, base: type) -> str:
    """Return the card of a DataProvider.

    Args:
        provider: The DataProvider.
        base: The class `DataProvider`, whose members are compared.
    """
    cls = type(provider)
    parts = _parts(provider, cls, base)
    return cards.card("DataProvider", str(provider.id), _origin(cls, None), parts)


def _parts(provider: Any, cls: type, base: type) -> Iterator[str]:
    yield cards.paragraph((cls.__doc__ or "").strip().partition("\n")[0])
    declared = [name for name in vars(base) if not name.startswith("_") and name != "id"]
    overridden = [one for one in declared if owner_of(cls, one) is not base]
    apart = {"pre_req_model", "batch_partition", *(attribute for attribute, _ in SOURCES.values())}
    attributes = [one for one in overridden if not callable(getattr(base, one))]
    shown = {one: declared_text(getattr(cls, one)) for one in attributes if one not in apart}
    yield cards.facts(shown)
    sources = [row for kind in SOURCES for row in _sources(cls, base, kind)]
    yield cards.table(["source", "for", "reads"], sources)
    hooks = [one for one in overridden if callable(getattr(base, one))]
    hooks += [one for one in dir(cls) if one.startswith(FAMILIES) and callable(getattr(cls, one))]
    methods = cards.table(["method", "declared in"], [[one, _origin(cls, one)] for one in hooks])
    yield cards.folded(f"{counted(len(hooks), 'method')} overridden or added", methods)
    state = {name: type(one).__name__ for name, one in vars(provider).items() if name not in apart}
    yield cards.folded(f"{counted(len(state), 'attribute')} set by hooks", cards.facts(state))


def _sources(cls: type, base: type, kind: str) -> Iterator[list[str]]:
    """Yield name, use and content of each source of one kind."""
    attribute, hook = SOURCES[kind]
    if owner_of(cls, hook) is not base:
        yield [f"({hook})", kind, "what this hook returns"]
        return
    declared = getattr(cls, attribute)
    for name, one in declared.items() if isinstance(declared, Mapping) else ():
        yield [str(name), kind, _reads(one)]


def _reads(source: Any) -> str:
    if not isinstance(source, Mapping):
        return declared_text(source)
    if "query" in source:
        return f"{source.get('source')}: {declared_text(source['query'])}"
    return declared_text(source.get("url") or source.get("asset") or dict(source))


def declared_text(value: Any) -> str:
    """Return a declared value in one line, masked before it is cut."""
    text = str(value)
    if isinstance(value, type):
        text = f"{value.__module__}.{value.__qualname__}"
    elif isinstance(value, Mapping):
        text = ", ".join(f"{name}={one!r}" for name, one in value.items())
    elif isinstance(value, list | tuple | set | frozenset):
        listed = map(str, value)
        text = ", ".join(listed if isinstance(value, list | tuple) else sorted(listed))
    text = " ".join(masked(text).split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _origin(cls: type, member: str | None) -> str:
    """Return the class that declares a member, with file and line where they are known."""
    owner = cls if member is None else owner_of(cls, member)
    name = owner.__name__ if owner else ""
    try:
        place = place_of(cls, member)
    except (SyntaxError, OSError, ValueError):  # the file has changed since it was imported
        place = None
    if place is None:
        return name
    line = f":{place.line}" if place.line else ""
    return f"{name} ({place.file.name}{line})"
