"""Split SQL into statements, and tell which of them a database can plan without executing them.

Only what `EXPLAIN` needs is recognized: strings, quoted names, comments, and dollar quotes. What is
not recognized is not explained, because a database executes what follows a semicolon.
"""

import re
from dataclasses import dataclass

QUOTED = r"""
      (?P<comment> --[^\n]* | /\*.*?\*/ )
    | (?P<quoted> [eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*`
        | (?P<dollar>\$[A-Za-z_]*\$).*?(?P=dollar) )
"""
"""Pattern of what a database does not read as SQL; verbose."""
_TOKENS = re.compile(
    QUOTED
    + r"""
    | (?P<end> ; )
    | (?P<word> [A-Za-z_][\w$]* )
    | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_READS = frozenset({"select", "with", "values", "table", "from"})
_CHANGES = frozenset({"insert", "update", "delete", "merge", "replace"})
_DEFINES = frozenset({"temp", "temporary", "global", "local", "unlogged", "or", "replace"})


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement.

    Attributes:
        text: Its text, without the semicolon.
        words: Its words outside strings, quoted names and comments, in lower case.
    """

    text: str
    words: tuple[str, ...]

    @property
    def is_read(self) -> bool:
        """Whether it only reads, as far as its words tell; functions may do more."""
        changes = {*_CHANGES, "into"} - {"replace"}  # which is a function, too
        return self._first in _READS and changes.isdisjoint(self.words)

    @property
    def can_be_explained(self) -> bool:
        """Whether ``EXPLAIN`` plans it in every database, and executes nothing of it."""
        if self._first == "create":
            kind = next((word for word in self.words[1:] if word not in _DEFINES), "")
            return kind == "table" and "as" in self.words
        return self._first in _READS | _CHANGES

    @property
    def _first(self) -> str:
        return self.words[0] if self.words else ""


def split_statements(sql: str) -> list[Statement]:
    """Return the statements of a text; those without words are left out."""
    found: list[Statement] = []
    start, words = 0, list[str]()
    for token in _TOKENS.finditer(sql):
        if token["word"]:
            words.append(token["word"].lower())
        elif token["end"]:
            found.append(Statement(sql[start : token.start()].strip(), tuple(words)))
            start, words = token.end(), []
    found.append(Statement(sql[start:].strip(), tuple(words)))
    return [statement for statement in found if statement.words]
