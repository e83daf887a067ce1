"""Who answers for a campaign, and the cost centre that pays for it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.campaigns.names import no_campaign
from storage.rows import columns_of
from storage.tables import campaign_owners, users

_c = campaign_owners.c


@dataclass(frozen=True, slots=True)
class CampaignOwner:
    """A campaign's owner, under the name that the user has now, and its cost centre ('': none)."""

    campaign: str
    owner_id: int
    cost_centre: str
    owner: str


_OWNERS = select(*columns_of(CampaignOwner, campaign_owners, without=("owner",)), users.c.name.label("owner")).join(
    users, users.c.id == _c.owner_id
)


def every(connection: Connection) -> dict[str, CampaignOwner]:
    """Who owns each campaign, by the campaign's name."""
    rows = connection.execute(_OWNERS)
    return {row.campaign: CampaignOwner(**row._mapping) for row in rows}


def find(connection: Connection, campaign: str) -> CampaignOwner | None:
    """Who owns a campaign; None where nobody does."""
    row = connection.execute(_OWNERS.where(_c.campaign == campaign)).one_or_none()
    return None if row is None else CampaignOwner(**row._mapping)


def claim(connection: Connection, campaign: str, owner_id: int) -> None:
    """Make a user the owner of a campaign that has none: of one that was never applied before."""
    new = insert(campaign_owners).values(campaign=campaign, owner_id=owner_id)
    connection.execute(new.on_conflict_do_nothing())


def locked(connection: Connection, campaign: str) -> CampaignOwner:
    """Who owns a campaign until this transaction ends; or NotFound."""
    row = connection.execute(_OWNERS.where(_c.campaign == campaign).with_for_update(of=campaign_owners)).one_or_none()
    if row is None:
        raise no_campaign(connection, campaign)
    return CampaignOwner(**row._mapping)


def reassign(connection: Connection, campaign: str, *, owner_id: int, cost_centre: str) -> CampaignOwner:
    """Set a campaign's owner and cost centre. What was charged before stays with the cost centre of before."""
    connection.execute(
        update(campaign_owners).where(_c.campaign == campaign).values(owner_id=owner_id, cost_centre=cost_centre)
    )
    return locked(connection, campaign)
