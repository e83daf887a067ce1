"""The tool `apply_campaign`, which exists only where the server was started with --allow-apply. It approves nothing."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from fleet_api.agents.compiling import compiled
from fleet_api.agents.protocol.calls import Call
from fleet_api.agents.tools.arguments import ProgramArguments
from fleet_api.agents.tools.catalog import deployment
from fleet_api.agents.tools.tool import Answer, Tool
from fleet_api.agents.tools.writing import refusal
from fleet_api.agents.workspace import Workspace
from triggers.contracts.base import Name
from triggers.errors import Conflict, InvalidInput


class ApplyArguments(ProgramArguments):
    """Which campaign becomes a version, and whether it is submitted."""

    campaign: Annotated[Name | None, Field(description="Which campaign of the file; needed if it has several.")] = None
    submit: Annotated[
        bool, Field(description="Submit it, so that people can approve it. Default: it stays a draft.")
    ] = False
    based_on: Annotated[
        int | None, Field(ge=0, le=2**31 - 1, description="The newest version that you have seen, 0 for none.")
    ] = None


def _apply(workspace: Workspace, given: ApplyArguments, call: Call) -> Answer:
    asked = given.asked(workspace)
    found = compiled(asked)
    if not found["ok"]:
        return refusal(found)
    name = _campaign(given.campaign, found["campaigns"])
    with deployment(workspace) as client:
        call.check()
        applied = client.campaigns.apply(
            found["source"],
            asked.signals,
            filename=asked.filename.rsplit("/", 1)[-1],
            campaign=name,
            draft=not given.submit,
            based_on=given.based_on,
        )
        link = f"{client.url}/console/campaigns/{name}"
    state = f"{name} is version {applied.version}, {applied.state}"
    if applied.program_digest != found["campaigns"][name]:
        raise Conflict(
            f"{state} now, but the API compiled it to {applied.program_digest}, and this server to "
            f"{found['campaigns'][name]}",
            remedy=f"do not apply it again: version {applied.version} stays. Look at it ({link}), have it rejected if "
            "it is not what was meant, and use the release of Longtail that the deployment has",
        )
    return Answer(f"{state}; people approve it: {link}", {**applied.model_dump(mode="json"), "link": link})


def _campaign(wanted: str | None, campaigns: dict[str, str]) -> str:
    names = ", ".join(campaigns) or "none"
    if wanted is None and len(campaigns) == 1:
        return next(iter(campaigns))
    if wanted is None or wanted not in campaigns:
        raise InvalidInput(f"which campaign is meant is not clear; the file has {names}", remedy="name one of them")
    return wanted


TOOLS: tuple[Tool[Any], ...] = (
    Tool(
        "apply_campaign",
        "Make a campaign's next version",
        "Create a version of a campaign in the deployment, as the user whose access the server has: a draft, or with "
        "`submit` one that waits for approval. No vehicle gets it before a person has approved it. Applying the same "
        "text again gives the same version.",
        ApplyArguments,
        _apply,
        read_only=False,
        asks_deployment=True,
    ),
)
