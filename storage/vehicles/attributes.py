"""A vehicle's attributes, merged from their two sources.

Those given at enrolment are the fleet's own record and win; what the vehicle reports adds to them and cannot change
them, so that a vehicle cannot talk itself into a campaign.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement

from storage.tables import vehicles

VEHICLE_ATTRIBUTES: ColumnElement[Any] = vehicles.c.reported_attributes.concat(vehicles.c.attributes)
"""The merged attributes as a JSON object: of `a || b` PostgreSQL keeps the values of b."""
