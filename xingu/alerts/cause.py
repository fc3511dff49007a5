"""The text of an error that may leave the project.

Errors of Xingu name DataProviders, hooks, columns, files and counts, and no rows; their texts are
sent, masked. Errors of other libraries may quote values of the data: ``could not convert string to
float: 'Smith'``. Of these, the name of the class and the first line are sent, in which quotations,
lists and numbers of three and more digits are replaced by ``…``. Modules, attributes and names are
no data, so errors about these keep their quotations. The run's page has the whole text.
"""

import re

from xingu.masking import masked

CODE_ERRORS = frozenset(
    {"AttributeError", "ImportError", "ModuleNotFoundError", "NameError", "SyntaxError"}
)
"""Errors whose quotations are names in code."""

_QUOTED = re.compile(r"""(["'`«“‘])(?:(?!\1).)*["'`»”’]|"[^"]*$|(?<!\w)'[^']*$""")
_NESTED = re.compile(r"[\[{(<][^\[\]{}()<>]*[\]})>]")
_NUMBER = re.compile(r"[-+]?\d[\d.,:/_e+-]*\d[\d.,:/_e+-]*\d\S*")


def foreign_cause(class_name: str, text: str) -> str:
    """Return the class of an error of another library, and its first line without values.

    Args:
        class_name: Name of its class.
        text: What it says.
    """
    line = next((one.strip() for one in text.splitlines() if one.strip()), "")
    line = masked(line)
    if class_name not in CODE_ERRORS:
        line = _QUOTED.sub("…", line)
        while (shorter := _NESTED.sub("…", line)) != line:
            line = shorter
        line = _NUMBER.sub("…", line)
    return f"{class_name}: {line}" if line else class_name


def own_cause(text: str, foreign: str = "", class_name: str = "") -> str:
    """Return the text of an error of Xingu, masked and without values of data.

    Args:
        text: What it says.
        foreign: Text of the error of another library that it was raised from, which it may quote.
        class_name: Class of that error.
    """
    told = " ".join(masked(text).split())
    quoted = " ".join(masked(foreign).split())
    if not quoted:
        return told
    safe = foreign_cause(class_name, foreign)
    for one in (f"{class_name}: {quoted}", quoted):
        told = told.replace(one, safe)
    return told
