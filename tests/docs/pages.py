"""The pages of the documentation, and the code blocks in them."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = {
    str(path.relative_to(ROOT)): path
    for path in [
        *sorted((ROOT / "docs").rglob("*.md")),
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "benchmarks" / "README.md",
    ]
}

_BLOCK = re.compile(
    r"(?P<run><!-- test: run -->\n)?^```(?P<language>\w+)(?: title=\"(?P<title>[^\"]+)\")?\n"
    r"(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page; `run`: the page says that it can be executed as it is."""

    page: str
    line: int
    language: str
    title: str | None
    run: bool
    raw: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def text(self) -> str:
        """The code, not indented."""
        return textwrap.dedent(self.raw)

    @property
    def code(self) -> str:
        """The code at its line of the page, so that a traceback names the right one."""
        return "\n" * self.line + self.text


def blocks(language: str, page: str | None = None) -> list[Block]:
    """Return the blocks of a language, of one page or of all, in order."""
    return [
        block
        for name in (PAGES if page is None else [page])
        for block in _blocks_of(name)
        if block.language == language
    ]


def _blocks_of(page: str) -> Iterator[Block]:
    text = PAGES[page].read_text()
    for match in _BLOCK.finditer(text):
        line = text.count("\n", 0, match.start("language")) + 1
        yield Block(
            page, line, match["language"], match["title"], bool(match["run"]), match["text"]
        )


def prose(page: str) -> str:
    """Return the page without its fenced blocks."""
    return _BLOCK.sub("", PAGES[page].read_text())
