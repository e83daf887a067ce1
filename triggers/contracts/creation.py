"""The creation of an upload: what a vehicle asks of the gateway before it sends a clip's bytes."""

from __future__ import annotations

from triggers.contracts.base import Contract
from triggers.contracts.campaign import Network
from triggers.contracts.clip import ClipManifest


class CreationRequest(Contract):
    """Body of `POST /v1/uploads`: the clip's manifest, and the class of the network that its bytes will travel on.

    The network belongs to the upload and not to the clip: the same clip may be announced again on another one.
    """

    manifest: ClipManifest
    network: Network
