"""Use cases for trust documents: show the newest, and publish the next. Each is one transaction."""

from __future__ import annotations

import base64
import binascii
import logging

from fleet_api.services import Services
from fleet_api.signing.chain import read_chain
from fleet_api.trust import publishing
from storage.vehicles.queries import list_vehicles
from triggers.contracts.api.trust import PublishedView, PublishRequest, TrustView
from triggers.contracts.users import Role, User
from triggers.errors import InvalidInput

_log = logging.getLogger(__name__)


def show(services: Services, user: User) -> TrustView:
    """The newest published document."""
    user.require(Role.VIEWER)
    with services.database.begin() as connection:
        chain = read_chain(connection)
    envelope = base64.b64encode(chain.sealed[-1]).decode() if chain.sealed else None
    return TrustView(version=chain.version, envelope=envelope)


def publish(services: Services, user: User, request: PublishRequest) -> PublishedView:
    """Publish the next document, which its root keys must have signed; see `publishing.publish`."""
    user.require(Role.ADMIN)
    try:
        envelope = base64.b64decode(request.envelope, validate=True)
    except binascii.Error as error:
        raise InvalidInput("the envelope is not base64") from error
    with services.database.begin() as connection:
        enrolled = bool(list_vehicles(connection, limit=1))
        known_key = services.key.public_key() if services.key is not None and enrolled else None
        published = publishing.publish(
            connection, envelope, by=user, signer=services.signer, own_key=services.key, known_key=known_key
        )
    _log.warning("%s published trust document %d", user.name, published.version)
    return published
