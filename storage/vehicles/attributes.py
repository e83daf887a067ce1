"""A vehicle's attributes, merged from their two sources.

Attributes given at enrolment are the fleet's own record and take precedence; what the vehicle reports adds to them for
those who look, but targets test only the former, unless the signal catalog says otherwise: a vehicle cannot talk its
way into a campaign.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement

from storage.tables import vehicles

VEHICLE_ATTRIBUTES: ColumnElement[Any] = vehicles.c.reported_attributes.concat(vehicles.c.attributes)
"""The merged attributes as a JSON object: in `a || b` PostgreSQL keeps the values of b."""
