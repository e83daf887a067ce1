"""Rules for campaigns, as pure functions: what applying does, what is allowed, and who may approve or stop."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from triggers.contracts.api.campaigns import BacktestForecast, CostView, StageView
from triggers.contracts.campaign import CampaignState
from triggers.contracts.users import Role, User
from triggers.errors import Conflict, Forbidden, InvalidInput


@dataclass(frozen=True, slots=True)
class Owners:
    """Who wrote and who submitted a version: the ids by which they are known, and their names."""

    ids: frozenset[int]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """A version of a campaign: its number, and who wrote it when."""

    version: int
    author: str
    created_at: datetime


def is_submitted_now(state: CampaignState, *, draft: bool) -> bool:
    """Whether applying a text submits its version, which is in `state`; with `draft` it stays a draft."""
    return state == CampaignState.DRAFT and not draft


def check_based_on(campaign: str, based_on: int, newest: Written | None) -> None:
    """Conflict unless `newest` is the version that a text is based on (0: the campaign had none).

    So nobody replaces what somebody else has written meanwhile without having seen it.
    """
    number = 0 if newest is None else newest.version
    if number == based_on:
        return
    if newest is None or number < based_on:
        raise Conflict(
            f"{campaign} has no version {based_on}: {f'the newest is {number}' if number else 'there is none yet'}",
            remedy=f"base the text on {number}, or look which campaign is meant with `longtail campaign list`",
        )
    when = f"{newest.author} applied version {number} at {newest.created_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if based_on == 0:
        raise Conflict(
            f"there is a campaign {campaign} already: {when}",
            remedy=f"choose another name, or look at version {number} and base the text on it",
        )
    raise Conflict(
        f"{campaign} has changed since version {based_on}, on which the text is based: {when}",
        remedy=f"compare the text with version {number}, then apply it based on {number}, or go on from that version",
    )


def check_digest(
    campaign: str, version: int, *, seen_digest: str, approval_digest: str, program_digest: str, sent_digest: str
) -> None:
    """Approval binds to all that vehicles get: Conflict unless the approver has seen the version's `approval_digest`.

    `sent_digest` is that of the bundle that would be sent now; it differs if the row is not as it was submitted.
    """
    if seen_digest == program_digest:
        raise Conflict(
            f"{seen_digest} is only the program of {campaign} version {version}, without its settings",
            remedy=f"look at the version with `longtail campaign show {campaign}`, then approve its `approval_digest`",
        )
    if seen_digest != approval_digest:
        raise Conflict(
            f"{campaign} version {version} has the digest {approval_digest}, not {seen_digest[:64]}",
            remedy="look at the version again, then approve its digest",
        )
    if sent_digest != approval_digest:
        raise Conflict(
            f"{campaign} version {version} was submitted to another release of Longtail, or its row was changed: "
            f"vehicles would get {sent_digest}, not {approval_digest}",
            remedy="apply the text again, which makes a new version, and approve that one",
        )


def check_backtest(campaign: str, version: int, *, seen_digest: str | None, backtest_digest: str | None) -> None:
    """Conflict unless the approver has seen the forecast and the report that the version has now, or that it has none.

    Its authors may replace both until it is approved.
    """
    if seen_digest == backtest_digest:
        return
    name = f"{campaign} version {version}"
    if seen_digest is None:
        problem = f"{name} has the report or the forecast of a backtest, and the approval names none"
    elif backtest_digest is None:
        problem = f"{name} has no report and no forecast of a backtest, but the approval names one"
    else:
        problem = f"the report or the forecast of {name} has changed since the review that the approval names"
    raise Conflict(
        problem,
        remedy=f"look at it again with `longtail campaign show {campaign}`, then approve it with the "
        "`backtest_digest` of that review",
    )


def check_forecast(campaign: str, forecast: BacktestForecast, *, program_digest: str) -> None:
    """Conflict when the forecast is that of another program."""
    if forecast.program_digest != program_digest:
        raise Conflict(
            f"the forecast is of the program {forecast.program_digest}, but {campaign} has {program_digest}",
            remedy="run the backtest with this text and signal catalog, and apply it with that report",
        )


def check_allowed(campaign: str, cost: CostView, *, state_bytes: int, operations: int) -> None:
    """InvalidInput for a program that needs more on a vehicle than the deployment allows, whatever its catalog says."""
    for needed, allowed, what, setting in (
        (cost.operations_per_tick, operations, "operations per tick", "LONGTAIL_PROGRAM_OPERATIONS"),
        (cost.state_bytes, state_bytes, "bytes of state", "LONGTAIL_PROGRAM_STATE_BYTES"),
    ):
        if needed > allowed:
            raise InvalidInput(
                f"{campaign} needs {needed:,} {what} on a vehicle, and this deployment allows {allowed:,}; the "
                "`limits` of a signal catalog can only lower that",
                remedy=f"let it do less (see `longtail explain`), split it, or ask the operator to raise {setting}",
            )


def check_four_eyes(campaign: str, version: int, *, approver: User, owners: Owners, allow_self_approval: bool) -> None:
    """Forbidden when the approver wrote or submitted the version, unless the deployment allows that."""
    if approver.id in owners.ids and not allow_self_approval:
        raise Forbidden(
            f"{approver.name} wrote or submitted {campaign} version {version} and may not approve it alone",
            remedy="ask another user to approve, or set LONGTAIL_ALLOW_SELF_APPROVAL=true for this deployment",
        )


def check_can_hold(campaign: str, version: int, stage: StageView | None, *, held_at: datetime | None) -> None:
    """Conflict when a rollout is held already, or when its last stage, which has no end, is reached.

    `stage` is None for a version that does not run, which no step of its life lets anybody hold.
    """
    if held_at is not None:
        raise Conflict(
            f"{campaign} version {version} is held already, since {held_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
            remedy="resume it to let its rollout go on, or pause it to take it off the vehicles",
        )
    if stage is not None and stage.number == stage.stages:
        raise Conflict(
            f"{campaign} version {version} has reached the last stage of its rollout: there is nothing to hold",
            remedy="pause it to take it off the vehicles",
        )


def check_may_assign(campaign: str, *, user: User, owner: str, owner_id: int) -> None:
    """Forbidden unless the user owns the campaign, is an operator, or an administrator."""
    if not user.owns(owner_id):
        raise Forbidden(f"{campaign} is not {user.name}'s to assign", remedy=f"ask its owner ({owner}) or an operator")


def check_may_stop(campaign: str, version: int, *, user: User, owners: Owners, step: str) -> None:
    """Forbidden unless the user wrote or submitted the version, is an approver, or an administrator; names who may."""
    if not user.may(Role.APPROVER) and user.id not in owners.ids:
        raise Forbidden(
            f"{campaign} version {version} is not {user.name}'s to {step}",
            remedy=f"ask its owner ({' or '.join(owners.names)}), an approver or an administrator",
        )
