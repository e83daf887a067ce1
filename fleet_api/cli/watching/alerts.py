"""`longtail alerts`: evaluates the alert rules without Prometheus, and tells a webhook of what is new."""

from __future__ import annotations

import math
import time
from pathlib import Path

import click

from fleet_api.cli.connection import ca_option
from fleet_api.cli.output import Form, form_options, print_json, print_result, print_table, remark

DEFAULT_STATE = "longtail-alerts.json"


@click.command(short_help="Evaluate the alert rules, and tell a webhook of what is new.")
@click.argument("urls", metavar="URL...", nargs=-1, envvar="LONGTAIL_METRICS_URLS")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="File with the token of metrics (LONGTAIL_METRICS_TOKEN).",
)
@click.option("--metrics-token", envvar="LONGTAIL_METRICS_TOKEN", hidden=True)
@click.option(
    "--state",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path(DEFAULT_STATE),
    show_default=True,
    help="File that remembers what was told, and samples of a day.",
)
@click.option("--webhook", envvar="LONGTAIL_ALERT_WEBHOOK", help="Address to POST alerts to (LONGTAIL_ALERT_WEBHOOK).")
@click.option(
    "--rules", "shows_rules", is_flag=True, help="Print the rules as a file for Prometheus, and nothing else."
)
@click.option("--dashboard", "shows_dashboard", is_flag=True, help="Print the dashboard for Grafana, and nothing else.")
@ca_option
@form_options("json")
def alerts(
    urls: tuple[str, ...],
    token_file: Path | None,
    metrics_token: str | None,
    state: Path,
    webhook: str | None,
    *,
    shows_rules: bool,
    shows_dashboard: bool,
    ca_file: Path | None,
    form: Form,
) -> int:
    """Scrape the metrics of these processes (LONGTAIL_METRICS_URLS), and show which alerts fire or are pending.

    Run it every minute or so, with the same --state: rules that compare with the day before begin after a day, and a
    webhook is told of each alert once when it fires, and once when it is over. The exit status is 0 when nothing
    fires, and 3 when something does.
    """
    from fleet_api.watching.alerts.evaluate import Metrics, evaluate
    from fleet_api.watching.alerts.prometheus import RULES_FILE
    from fleet_api.watching.alerts.scrape import scrape
    from fleet_api.watching.alerts.state import State
    from fleet_api.watching.alerts.webhook import Webhook
    from storage.embedded.locks import FileLock
    from triggers.errors import Conflict

    if shows_rules or shows_dashboard:
        file = RULES_FILE if shows_rules else RULES_FILE.with_name("dashboard.json")
        print_result(file.read_text("utf-8").rstrip("\n"))
        return 0
    if not urls:
        raise click.UsageError("name the addresses whose /metrics to read, such as http://127.0.0.1:8080")
    told_to, not_told = Webhook(webhook) if webhook else None, None
    token = token_file.read_text("utf-8").strip() if token_file is not None else metrics_token
    lock = FileLock(state.with_name(f".{state.name}.lock"))
    if not lock.try_acquire():
        raise Conflict(
            f"another `longtail alerts` is at work with {state}", remedy="wait for it, or use another --state"
        )
    try:
        remembered = State.load(state)
        samples, problems = scrape(urls, token, ca_file=ca_file)
        found = evaluate(Metrics(samples, remembered, time.time()), is_complete=not problems)
        remembered.save(state)
        for problem in problems:
            remark(problem)
        if told_to is not None:
            told, not_told = told_to.tell(found, remembered, lambda: remembered.save(state), is_complete=not problems)
            remark(f"{told} messages to the webhook")
    finally:
        lock.close()
    firing = [alert for alert in found if alert.is_firing]
    if form == "json":
        print_json(
            [
                {
                    "alert": alert.rule.name,
                    "severity": alert.rule.severity,
                    "state": "firing" if alert.is_firing else "pending",
                    "labels": dict(alert.labels),
                    "value": alert.value if math.isfinite(alert.value) else None,
                    "since_s": round(alert.since_s),
                    "summary": alert.summary,
                    "remedy": alert.remedy,
                }
                for alert in found
            ]
        )
    elif found:
        rows = [
            (alert.rule.severity if alert.is_firing else "pending", alert.rule.name, f"{alert.summary}; {alert.remedy}")
            for alert in found
        ]
        print_table("", ("state", "alert", "what"), rows)
    else:
        print_result("no alerts")
    if not_told is not None:
        raise not_told
    return 3 if firing else 0
