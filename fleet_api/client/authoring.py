"""Authoring: check a trigger text against a signal catalog as the deployment has it, and list what it may name."""

from __future__ import annotations

from fleet_api.client.transport import Transport, path_of, request_of
from triggers.contracts.api.authoring.checks import CheckRequest, CheckView
from triggers.contracts.api.authoring.vocabulary import VocabularyRequest, VocabularyView


class Authoring:
    """What `client.authoring` can do; nothing of it changes anything."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def check(
        self,
        source: str,
        signals: str | None = None,
        *,
        catalog: str | None = None,
        filename: str = "campaign.trigger",
        formatted: bool = False,
        explained: bool = False,
        constants: bool = False,
    ) -> CheckView:
        """Every finding about a text, against a signal catalog's YAML or a published one, as in `campaigns.apply`.

        A text with mistakes is an answer, too. `formatted`, `explained` and `constants` ask for more.
        """
        body = request_of(
            CheckRequest,
            source=source,
            filename=filename,
            signals=signals,
            catalog=catalog,
            formatted=formatted,
            explained=explained,
            constants=constants,
        )
        return self._transport.post(CheckView, path_of("authoring", "check"), body)

    def vocabulary(self, signals: str | None = None, *, catalog: str | None = None) -> VocabularyView:
        """The words of the language, its units, and the signals, heads, attributes and cameras of a signal catalog."""
        body = request_of(VocabularyRequest, signals=signals, catalog=catalog)
        return self._transport.post(VocabularyView, path_of("authoring", "vocabulary"), body)
