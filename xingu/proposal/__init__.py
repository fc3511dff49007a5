"""Propose a DataProvider for a table: look at its data, decide, and write the class.

`look` reads a bounded sample, `describe` measures its columns, `propose` decides, and `code_of`
writes the file. All but `look` are pure functions.
"""

from xingu.proposal.code import code_of
from xingu.proposal.columns import Column, describe
from xingu.proposal.decisions import decisions_of, values_of
from xingu.proposal.look import Origin, Sample, look, parse_origin, relative_to_home, with_columns
from xingu.proposal.propose import Proposal, propose
from xingu.proposal.targets import obvious_target, target_candidates

__all__ = [
    "Column",
    "Origin",
    "Proposal",
    "Sample",
    "code_of",
    "decisions_of",
    "describe",
    "look",
    "obvious_target",
    "parse_origin",
    "propose",
    "relative_to_home",
    "target_candidates",
    "values_of",
    "with_columns",
]
