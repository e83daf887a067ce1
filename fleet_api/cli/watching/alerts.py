"""`longtail alerts`: what is wrong, as the API says or as processes' metrics say, and a webhook that is told of it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleet_api.cli.connection import OpenApi, is_typed, with_api
from fleet_api.cli.output import Form, form_options, print_json, print_result, print_table, remark

if TYPE_CHECKING:
    from triggers.contracts.api.watching.alerts import AlertView
    from triggers.errors import LongtailError

DEFAULT_STATE = "longtail-alerts.json"


@click.command(short_help="Show the alerts; with addresses of processes evaluate them, and tell a webhook.")
@click.argument("urls", metavar="[URL]...", nargs=-1, envvar="LONGTAIL_METRICS_URLS")
@click.option(
    "--metrics-token-file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="File with the token of metrics (LONGTAIL_METRICS_TOKEN).",
)
@click.option("--metrics-token", envvar="LONGTAIL_METRICS_TOKEN", hidden=True)
@click.option(
    "--state",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"File that remembers what was told, and samples of a day.  [default: {DEFAULT_STATE}]",
)
@click.option("--webhook", envvar="LONGTAIL_ALERT_WEBHOOK", help="Address to POST alerts to (LONGTAIL_ALERT_WEBHOOK).")
@click.option(
    "--rules", "shows_rules", is_flag=True, help="Print the rules as a file for Prometheus, and nothing else."
)
@click.option("--dashboard", "shows_dashboard", is_flag=True, help="Print the dashboard for Grafana, and nothing else.")
@with_api
@form_options("json")
def alerts(
    urls: tuple[str, ...],
    metrics_token_file: Path | None,
    metrics_token: str | None,
    state: Path | None,
    webhook: str | None,
    *,
    shows_rules: bool,
    shows_dashboard: bool,
    open_api: OpenApi,
    form: Form,
) -> int:
    """Show which alerts fire or are pending: as the API evaluates the rules, or with addresses of processes
    (LONGTAIL_METRICS_URLS) by their metrics.

    The API knows nothing of other processes, and tells nobody. With addresses, run it every minute or so with the same
    --state: rules that compare with the day before begin after a day, and a webhook is told of each alert once when it
    fires, and once when it is over. The exit status is 0 when nothing fires, and 3 when something does.
    """
    if shows_rules and shows_dashboard:
        raise click.UsageError("--rules and --dashboard cannot be combined: each is a file of its own")
    if shows_rules or shows_dashboard:
        _print_file("alerts.rules.yaml" if shows_rules else "dashboard.json")
        return 0
    if urls:
        if is_typed("api_token") or is_typed("token_file"):
            raise click.UsageError(
                "with addresses of processes no API is asked: --metrics-token-file has the token of metrics, and "
                "--token-file and --token that of the API"
            )
        token = metrics_token_file.read_text("utf-8").strip() if metrics_token_file is not None else metrics_token
        found, not_told = _by_metrics(urls, token, state or Path(DEFAULT_STATE), webhook)
    elif webhook or state is not None or metrics_token_file is not None:
        raise click.UsageError(
            "a webhook is told of what the metrics of processes say: name their addresses, such as "
            "http://127.0.0.1:8080; without any, the API is asked, and --state, --webhook and --metrics-token-file "
            "have nothing to do"
        )
    else:
        found, not_told = _by_api(open_api), None
    _show(found, form)
    if not_told is not None:
        raise not_told
    return 3 if any(alert.state == "firing" for alert in found) else 0


def _print_file(name: str) -> None:
    from fleet_api.watching.alerts.prometheus import RULES_FILE

    print_result(RULES_FILE.with_name(name).read_text("utf-8").rstrip("\n"))


def _by_api(open_api: OpenApi) -> list[AlertView]:
    """What the API's last evaluation found; remarks say from when it is, and what it leaves out."""
    with open_api() as client:
        listed = client.alerts.current()
    if listed.evaluated_at is None:
        remark("the API has not evaluated the rules yet: ask again in a minute")
    else:
        remark(f"as the API found at {listed.evaluated_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC")
    if listed.missing:
        remark(f"it could not read {', '.join(listed.missing)} then: of these it shows what was known before")
    if listed.elsewhere:
        remark(f"not by the API, but with addresses of processes: {', '.join(listed.elsewhere)}")
    return listed.alerts


def _by_metrics(
    urls: tuple[str, ...], token: str | None, state: Path, webhook: str | None
) -> tuple[list[AlertView], LongtailError | None]:
    """What the metrics of these processes say, and why the webhook could not be told of all of it."""
    from fleet_api.client.transport import verification
    from fleet_api.watching.alerts.evaluate import Metrics, evaluate
    from fleet_api.watching.alerts.scrape import scrape
    from fleet_api.watching.alerts.state import State
    from fleet_api.watching.alerts.views import alert_view
    from fleet_api.watching.alerts.webhook import Webhook
    from storage.embedded.locks import FileLock
    from triggers.errors import Conflict

    told_to, not_told = Webhook(webhook) if webhook else None, None
    options = click.get_current_context().params  # `with_api` keeps them for the client
    verified = verification(options["ca_file"], options["client_cert_file"])
    lock = FileLock(state.with_name(f".{state.name}.lock"))
    if not lock.try_acquire():
        raise Conflict(
            f"another `longtail alerts` is at work with {state}", remedy="wait for it, or use another --state"
        )
    try:
        remembered = State.load(state)
        samples, problems = scrape(urls, token, verify=verified)
        found = evaluate(Metrics(samples, remembered, time.time()), is_complete=not problems)
        remembered.save(state)
        for problem in problems:
            remark(problem)
        if told_to is not None:
            told, not_told = told_to.tell(found, remembered, lambda: remembered.save(state), is_complete=not problems)
            remark(f"{told} messages to the webhook")
    finally:
        lock.close()
    return [alert_view(alert) for alert in found], not_told


def _show(found: list[AlertView], form: Form) -> None:
    if form == "json":
        print_json([_document(alert) for alert in found])
    elif found:
        rows = [
            (alert.severity if alert.state == "firing" else "pending", alert.alert, f"{alert.summary}; {alert.remedy}")
            for alert in found
        ]
        print_table("", ("state", "alert", "what"), rows)
    else:
        print_result("no alerts")


def _document(alert: AlertView) -> dict[str, object]:
    """An alert as JSON; `since_s` is in s since the Unix epoch."""
    document = alert.model_dump(mode="json", exclude={"since"})
    return document | {"since_s": round((alert.since - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())}
