"""The command `longtail`: its table of commands, and the one place that turns errors into a line and an exit status."""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Sequence

import click

from fleet_api.cli.entry import EXIT_INTERRUPTED
from fleet_api.cli.lazy import Entry, LazyGroup
from fleet_api.cli.output import remark
from fleet_api.deployment.logs import log_warnings_of
from triggers.errors import LongtailError

EXIT_FAILED = 1

COMMANDS = {
    "check": Entry("fleet_api.cli.author.check:check", "Report every mistake in trigger files."),
    "explain": Entry("fleet_api.cli.author.explain:explain", "Show what campaigns read, need and cost on a vehicle."),
    "backtest": Entry(
        "fleet_api.cli.author.backtest:backtest", "Run triggers over recorded drives, and forecast a fleet."
    ),
    "trace": Entry(
        "fleet_api.cli.author.trace.command:trace", "Show every part of a trigger's condition over a drive."
    ),
    "compile": Entry(
        "fleet_api.cli.author.compile:compile_campaigns", "Write WebAssembly modules and signed bundles of campaigns."
    ),
    "fmt": Entry("fleet_api.cli.author.fmt:fmt", "Rewrite trigger files in their canonical form."),
    "schema": Entry(
        "fleet_api.cli.agents.schema:schema", "Print the trigger language for programs and language models."
    ),
    "mcp": Entry("fleet_api.cli.agents.mcp:mcp", "Serve tools to a language model (Model Context Protocol)."),
    "signals": Entry("fleet_api.cli.fleet.signals:signals", "Make, publish, list and get signal catalogs."),
    "vehicles": Entry("fleet_api.cli.fleet.vehicles:vehicles", "Enrol, show and revoke vehicles."),
    "erase-vehicle": Entry("fleet_api.cli.fleet.vehicles:erase", "Erase a vehicle with everything that it sent."),
    "erasure-report": Entry("fleet_api.cli.fleet.erasure:erasure_report", "Get and verify reports on erased vehicles."),
    "campaign": Entry("fleet_api.cli.fleet.campaign:campaign", "Apply, approve, list and control campaigns."),
    "outcomes": Entry("fleet_api.cli.fleet.outcomes:outcomes", "Count the outcomes of every fire."),
    "rates": Entry("fleet_api.cli.fleet.rates.commands:rates", "Show how often triggers fire, and compare versions."),
    "clips": Entry(
        "fleet_api.cli.fleet.clips.commands:clips", "Search the catalog of clips, and download their files."
    ),
    "search": Entry("fleet_api.cli.datasets.searches:search", "Keep searches of clips under names."),
    "dataset": Entry("fleet_api.cli.datasets.commands:dataset", "Freeze clips as datasets, and export them."),
    "history": Entry(
        "fleet_api.cli.watching.history:history", "Show what happened to a clip or a fire, and what it waits for."
    ),
    "latency": Entry("fleet_api.cli.watching.history:latency", "Show how long clips take from fire to label."),
    "alerts": Entry(
        "fleet_api.cli.watching.alerts:alerts", "Evaluate the alert rules, and tell a webhook of what is new."
    ),
    "labels": Entry("fleet_api.cli.fleet.labels:labels", "Claim and complete label jobs."),
    "dead-letters": Entry(
        "fleet_api.cli.fleet.dead_letters:dead_letters", "List and discard what could not be processed."
    ),
    "login": Entry("fleet_api.cli.login.commands:login", "Log in at a deployment, with a browser."),
    "logout": Entry("fleet_api.cli.login.commands:logout", "End a log-in, and forget it."),
    "whoami": Entry("fleet_api.cli.login.commands:whoami", "Show who you are to a deployment, and until when."),
    "audit": Entry("fleet_api.cli.fleet.audit:audit", "Show who changed what, and verify the log of it."),
    "budget": Entry("fleet_api.cli.fleet.budget:budget", "Show how much of its budget each campaign has used."),
    "cost": Entry("fleet_api.cli.author.cost:cost", "Check and publish price books, and show what a plan costs."),
    "usage": Entry("fleet_api.cli.fleet.usage.command:usage", "Show what the fleet has used, by what and when."),
    "demo": Entry(
        "fleet_api.cli.deployment.demo:demo", "Run the whole loop on this machine, from trigger to labelled clip."
    ),
    "up": Entry("fleet_api.cli.deployment.up:up", "Run a whole deployment on this machine."),
    "simulate": Entry("fleet_api.cli.deployment.simulate:simulate", "Run simulated vehicles that play drives."),
    "health": Entry("fleet_api.cli.fleet.health:health", "Ask the API whether it is ready."),
    "doctor": Entry(
        "fleet_api.cli.deployment.doctor:doctor", "Check configuration, connections and data of a deployment."
    ),
    "backup": Entry("fleet_api.cli.deployment.backup:backup", "Back up a deployment to a folder while it runs."),
    "restore": Entry("fleet_api.cli.deployment.backup:restore", "Restore a backup into an empty deployment."),
    "restored": Entry(
        "fleet_api.cli.deployment.backup:restored", "Let a database that was restored by other means move on."
    ),
    "migrate": Entry("fleet_api.cli.deployment.processes:migrate", "Bring the database's schema up to date."),
    "database": Entry("fleet_api.cli.deployment.database:database", "Show the roles of a deployment's database."),
    "trust": Entry("fleet_api.cli.trust.commands:trust", "Make, sign and publish which keys vehicles trust."),
    "token": Entry("fleet_api.cli.deployment.token:token", "List, issue, rotate and revoke tokens of users."),
    "api": Entry("fleet_api.cli.deployment.processes:api", "Serve the HTTP API (one process of a deployment)."),
    "gateway": Entry(
        "fleet_api.cli.deployment.processes:gateway", "Serve the upload gateway (one process of a deployment)."
    ),
    "signer": Entry(
        "fleet_api.cli.deployment.processes:signer",
        "Sign lists, bundles and reports on erased vehicles (one process of a deployment).",
    ),
    "ingest": Entry(
        "fleet_api.cli.deployment.processes:ingest", "Assemble and extract clips (one process of a deployment)."
    ),
}


@click.command(
    cls=LazyGroup,
    entries=COMMANDS,
    name="longtail",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.option("--debug", is_flag=True, envvar="LONGTAIL_DEBUG", help="Show the traceback of an error.")
@click.version_option(package_name="longtail", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """Longtail, a fleet data engine: from triggers in shadow mode to a searchable catalog of labelled clips.

    `longtail COMMAND --help` describes a command."""
    ctx.obj = {"debug": debug}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0 (success), 1 (failure), 2 (wrong usage) or 130 (interrupted)."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    log_warnings_of("longtail")
    try:
        status = _run(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()  # here, because a failure at the interpreter's exit would be a traceback
    except BrokenPipeError:  # the reader of our output (`| head`) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except OSError as error:
        remark(f"longtail: {_described(error)}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    return status


def _run(arguments: list[str]) -> int:
    try:
        result = cli.main(args=arguments, prog_name="longtail", standalone_mode=False)
    except click.ClickException as error:
        words = io.StringIO()
        error.show(words)
        remark(words.getvalue().removesuffix("\n"))
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        remark("longtail: interrupted")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the edge: a bug is one line, too
        if _wants_traceback(arguments):
            remark(traceback.format_exc().removesuffix("\n"))
        remark(f"longtail: {_described(error)}")
        return EXIT_FAILED
    return result if isinstance(result, int) else 0


def _described(error: Exception) -> str:
    """An error in one line; an unexpected one says how to find out more."""
    if isinstance(error, LongtailError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return f"internal error, {type(error).__name__}: {error}; this is a bug: run it again with --debug to see where"


def _wants_traceback(arguments: Sequence[str]) -> bool:
    """Whether to print tracebacks; looks at the words, since an error may occur before click has parsed them."""
    return "--debug" in arguments or os.environ.get("LONGTAIL_DEBUG", "") not in ("", "0", "false")


if __name__ == "__main__":
    sys.exit(main())
