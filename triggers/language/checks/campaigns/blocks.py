"""Checks of campaign blocks, which give the campaigns' settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction

from triggers.clips.size import nominal_clip_bytes
from triggers.contracts.campaign import (
    MAX_COMPARES,
    MAX_EVENT_WINDOW_NS,
    MAX_TRIGGERS,
    BudgetLimits,
    CampaignSettings,
    EventComparison,
    Network,
    RolloutStage,
    TriggerSettings,
    UploadRoute,
)
from triggers.language.analysis.typed import Type
from triggers.language.checks.campaigns.amounts import budget_limits, number_of_bytes, priority, sample_one_in
from triggers.language.checks.campaigns.targets import check_target
from triggers.language.checks.context import CheckContext
from triggers.language.text import syntax
from triggers.language.text.reporter import Reporter
from triggers.signals.catalog import SignalCatalog
from triggers.signals.units import RATIO, convert
from triggers.written_numbers import in_full

MAX_STAGES = 100
DEFAULT_PRIORITY = 50


def campaign_settings(
    campaign: syntax.Campaign,
    file: syntax.File,
    triggers: Iterable[TriggerSettings],
    catalog: SignalCatalog,
    report: Reporter,
) -> CampaignSettings | None:
    """The settings of a campaign block; None if a mistake was reported."""
    context = CheckContext(catalog, report)
    checks = _CampaignChecks(context, campaign)
    collected = checks.collected(file, {trigger.name: trigger for trigger in triggers})
    budget = checks.budget()
    compare, events = checks.compared(), checks.compared_events()
    target = check_target(context, campaign.target) if campaign.target is not None else None
    rollout, upload = checks.rollout(), checks.upload()
    one_in = sample_one_in(context, campaign.sample) or 1
    of_uploads = priority(context, campaign.priority)
    first, last = checks.active()
    retain_ns = checks.retain()
    describe = context.described(campaign.describe)
    if report.has_errors or budget is None or campaign.broken:
        return None
    return CampaignSettings(
        name=campaign.name.text,
        describe=describe,
        triggers=collected,
        compare=compare,
        events=events,
        target=target,
        rollout=rollout,
        sample_one_in=one_in,
        budget=budget,
        upload=upload,
        priority=DEFAULT_PRIORITY if of_uploads is None else of_uploads,
        active_from=first,
        active_to=last,
        retain_ns=retain_ns,
    )


def check_collected(file: syntax.File, report: Reporter) -> None:
    """Warn about triggers that no campaign of a file with campaigns collects, unless one says so with a mistake."""
    if any("collect" in campaign.broken for campaign in file.campaigns):
        return
    collected = {name.text for campaign in file.campaigns for name in campaign.collect or ()}
    left = [trigger.name for trigger in file.triggers if file.campaigns and trigger.name.text not in collected]
    if left:
        report.not_collected(left[0].span, [name.text for name in left])


def check_budget(
    campaign: syntax.Campaign, settings: CampaignSettings, catalog: SignalCatalog, report: Reporter
) -> None:
    """Warn about each limit in bytes that not even one clip of some trigger fits into, by the declared rates."""
    clips = {trigger.name: nominal_clip_bytes(trigger.capture, catalog) for trigger in settings.triggers}
    limits = {"vehicle_day": settings.budget.vehicle_day_bytes, "total": settings.budget.total_bytes}
    _check_limits(campaign.budget or (), limits, clips, report)


def check_own_budgets(
    file: syntax.File, settings: Iterable[TriggerSettings], catalog: SignalCatalog, report: Reporter
) -> None:
    """The same for the own budgets of triggers."""
    of_name = {trigger.name: trigger for trigger in settings}
    for block in file.triggers:
        trigger = of_name.get(block.name.text)
        if trigger is not None and trigger.budget is not None:
            limits = {"vehicle_day": trigger.budget.vehicle_day_bytes, "total": trigger.budget.total_bytes}
            clips = {trigger.name: nominal_clip_bytes(trigger.capture, catalog)}
            _check_limits(block.budget or (), limits, clips, report)


def _check_limits(
    budget: Iterable[syntax.BudgetLimit],
    limits: Mapping[str, int | None],
    clips: Mapping[str, int],
    report: Reporter,
) -> None:
    for limit in budget:
        allowed = limits.get(limit.kind)
        larger = [name for name, size in clips.items() if allowed is not None and size > allowed]
        if larger:
            shown = " ".join(f"{limit.amount.text} {limit.amount.unit or ''}".split())
            shown += " per vehicle per day" if limit.kind == "vehicle_day" else " in total"
            report.budget_below_clip(limit.amount.span, shown, larger, min(clips[name] for name in larger))


def check_places(
    file: syntax.File, campaigns: Iterable[CampaignSettings], catalog: SignalCatalog, report: Reporter
) -> None:
    """Warn about collected triggers whose clips have no position although the catalog names it."""
    if catalog.position is None:
        return
    place = (catalog.position.latitude, catalog.position.longitude)
    collected = {trigger.name: trigger for campaign in campaigns for trigger in campaign.triggers}
    without = [
        block.name
        for block in file.triggers
        if block.name.text in collected and not set(place) <= set(collected[block.name.text].capture.signals)
    ]
    if without:
        report.capture_without_place(without[0].span, [name.text for name in without], place)


class _CampaignChecks:
    """One method per clause, which returns the clause's value, or its default after a report."""

    def __init__(self, context: CheckContext, campaign: syntax.Campaign) -> None:
        self.context = context
        self.report = context.report
        self.campaign = campaign

    def collected(self, file: syntax.File, sound: dict[str, TriggerSettings]) -> tuple[TriggerSettings, ...]:
        """Settings of the collected triggers, in the order of the file."""
        names = self.campaign.collect
        if names is None:
            if not self.campaign.compare and not {"collect", "compare"} & self.campaign.broken:
                self.report.collects_nothing(self.campaign.name.span, self.campaign.name.text)
            return ()
        known = {trigger.name.text for trigger in file.triggers}
        seen: set[str] = set()
        for name in names:
            if name.text not in known:
                self.report.unknown_trigger(name.span, name.text, self.context.nearest(name.text, known, "triggers"))
            elif name.text in seen:
                self.report.given_twice(name.span, f"trigger `{name.text}`")
            seen.add(name.text)
        if len(seen) > MAX_TRIGGERS:
            self.report.too_many(names[0].span.to(names[-1].span), "triggers", len(seen), MAX_TRIGGERS, "a campaign")
        return tuple(settings for name, settings in sound.items() if name in seen)

    def compared(self) -> tuple[str, ...]:
        """The heads to compare; whether they exist and are bools is checked when the program is lowered."""
        heads = [head for head in self.campaign.compare if isinstance(head, syntax.Word)]
        self._demand_once(heads, "the head", "compared heads")
        return tuple(head.text for head in heads)

    def compared_events(self) -> tuple[EventComparison, ...]:
        """The heads whose events are compared; but for their number they have been checked by lowering the file."""
        compared = [each for each in self.campaign.compare if isinstance(each, syntax.ComparedEvents)]
        self._demand_once([each.head for each in compared], "the head of the events", "heads with compared events")
        if self.report.has_errors:
            return ()
        return tuple(
            EventComparison(
                head=each.head.text, within_ns=within_ns, driver=None if each.driver is None else each.driver.text
            )
            for each in compared
            if (within_ns := self.context.duration_ns(each.within, high_ns=MAX_EVENT_WINDOW_NS)) is not None
        )

    def _demand_once(self, heads: Sequence[syntax.Word], what: str, together: str) -> None:
        """Report a head that is given twice, and heads that are too many."""
        seen: set[str] = set()
        for head in heads:
            if head.text in seen:
                self.report.given_twice(head.span, f"{what} `{head.text}`")
            seen.add(head.text)
        if len(seen) > MAX_COMPARES:
            span = heads[0].span.to(heads[-1].span)
            self.report.too_many(span, together, len(seen), MAX_COMPARES, "a campaign")

    def rollout(self) -> tuple[RolloutStage, ...]:
        """Stages with increasing shares, all but the last one with a duration."""
        stages = self.campaign.rollout
        if stages is None:
            return (RolloutStage(share=1.0),)
        result: list[RolloutStage] = []
        for index, stage in enumerate(stages[:MAX_STAGES]):
            share = self._share(stage.share)
            duration_ns = self.context.duration_ns(stage.duration) if stage.duration is not None else None
            last = index == len(stages) - 1
            if not last and stage.duration is None:
                self.report.rollout_order(stage.share.span, "only the last stage of a rollout may omit its duration")
            if share is None:
                continue
            if result and share <= result[-1].share:
                self.report.rollout_order(
                    stage.share.span, "each rollout stage must have a larger share than the previous one"
                )
            result.append(RolloutStage(share=share, duration_ns=None if last else duration_ns))
        if len(stages) > MAX_STAGES:
            self.report.too_many(stages[-1].share.span, "rollout stages", len(stages), MAX_STAGES, "a campaign")
        return tuple(result)

    def _share(self, quantity: syntax.Quantity) -> float | None:
        typed = self.context.quantity(quantity)
        if typed.type is Type.ERROR:
            return None
        if typed.unit.dimension != RATIO.dimension or not isinstance(typed.constant, Fraction):
            of_one = [f"{in_full(float(100 * quantity.value))} %"] if 0 < quantity.value < 1 else []
            proposals = [*of_one, f"{quantity.text} %"]
            self.report.needs_unit(quantity.span, "a rollout's share", "a ratio in %", proposals)
            return None
        share = convert(typed.constant, typed.unit, RATIO)
        if not 0 < share <= 1:
            self.report.out_of_range(quantity.span, "a share", "more than 0 % and at most 100 %")
            return None
        return float(share)

    def budget(self) -> BudgetLimits | None:
        """The limits, of which a campaign must have at least one."""
        limits = self.campaign.budget
        if limits is None:
            if "budget" not in self.campaign.broken:
                self.report.no_budget(self.campaign.name.span, self.campaign.name.text)
            return None
        return budget_limits(self.context, limits)

    def upload(self) -> tuple[UploadRoute, ...]:
        """The networks that clips may be uploaded on; wifi by default."""
        if self.campaign.upload is None:
            return (UploadRoute(network=Network.WIFI),)
        routes: dict[str, UploadRoute] = {}
        for route in self.campaign.upload:
            up_to = number_of_bytes(self.context, route.up_to) if route.up_to is not None else None
            name = route.network.text
            if name not in [network.value for network in Network]:
                self.report.unknown_network(route.network.span, name, [network.value for network in Network])
                continue
            if name in routes:
                self.report.given_twice(route.network.span, f"the network `{name}`")
            routes[name] = UploadRoute(network=Network(name), up_to_bytes=up_to)
        return tuple(routes.values())

    def active(self) -> tuple[date | None, date | None]:
        """First and last day."""
        period = self.campaign.active
        if period is None:
            return None, None
        first, last = self._day(period.first), self._day(period.last)
        if first is not None and last is not None and last < first:
            self.report.dates_reversed(period.last.span)
        return first, last

    def retain(self) -> int | None:
        """How long clips are kept after the cloud has stored them, in ns; None: for ever."""
        if self.campaign.retain is None:
            return None
        return self.context.duration_ns(self.campaign.retain)

    def _day(self, word: syntax.Word) -> date | None:
        try:
            return date.fromisoformat(word.text)
        except ValueError:
            self.report.no_date(word.span, word.text)
            return None
