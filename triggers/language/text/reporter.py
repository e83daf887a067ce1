"""The reporter of one file: one method for each mistake an author can make, with its code, message and proposal.

Codes are stable: LT1xx syntax, LT2xx names, LT3xx types and units, LT4xx campaigns, LT5xx limits, LT9xx warnings. A new
mistake is a method in `mistakes`, whose docstring is its line in docs/language.md, and an example in the golden files.
"""

from __future__ import annotations

from triggers.language.text.mistakes.campaigns import CampaignMistakes
from triggers.language.text.mistakes.form import FormMistakes
from triggers.language.text.mistakes.limits import LimitMistakes
from triggers.language.text.mistakes.names import NameMistakes
from triggers.language.text.mistakes.objects import ObjectMistakes
from triggers.language.text.mistakes.own_words import OwnWordMistakes
from triggers.language.text.mistakes.types import TypeMistakes
from triggers.language.text.mistakes.warnings import Warnings


class Reporter(
    FormMistakes,
    NameMistakes,
    OwnWordMistakes,
    ObjectMistakes,
    TypeMistakes,
    CampaignMistakes,
    LimitMistakes,
    Warnings,
):
    """Collects the mistakes of one file.

    >>> from triggers.language.text.diagnostics import Source, Span
    >>> report = Reporter(Source("when x = 1", "a.trigger"))
    >>> report.assignment_in_condition(Span(7, 8))
    >>> print(report.diagnostics[0].render())
    a.trigger:1:8: error: `=` is not a comparison [LT115]
        when x = 1
               ^
        help: write `==`
    """
