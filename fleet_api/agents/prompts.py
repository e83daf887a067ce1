"""The prompts of the server: how a model is asked to write a trigger, and to repair one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fleet_api.agents.protocol.messages import INVALID_PARAMS, ProtocolError, text_in, unknown

MAX_ARGUMENT_CHARACTERS = 1_000_000
_STEPS = """\
Work in these steps:
1. Read the resource longtail://schema (the language), and find the signals that you need with the tool `signals`.
2. Write the trigger file. Use only signals, units and operators that exist.
3. Call `check`; repair what it reports, and check again until the file compiles. Heed warnings.
4. If there are drives (`drives`), call `backtest` on a few of them. If a trigger never fires or fires too often, look
   at the shares of its parts, and correct the condition or ask what is meant.
5. Show the formatted file, and say what it would find and how often, with the numbers of the backtest."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A text with a place for one argument."""

    name: str
    title: str
    description: str
    argument: str
    about_argument: str
    text: str

    def listed(self) -> dict[str, Any]:
        """The prompt as a list of prompts has it."""
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "arguments": [{"name": self.argument, "description": self.about_argument, "required": True}],
        }


PROMPTS = (
    Prompt(
        "write_trigger",
        "Write a trigger",
        "Write a trigger file for a situation, checked and run over recorded drives.",
        "situation",
        "What is to be found, in your words.",
        f"Write a Longtail trigger file that finds this situation on vehicles:\n\n{{given}}\n\n{_STEPS}",
    ),
    Prompt(
        "repair_trigger",
        "Repair a trigger file",
        "Repair a trigger file until it compiles, without changing what it means.",
        "text",
        "The text of the trigger file.",
        "Repair this Longtail trigger file. Keep what it means, and say what you changed:\n\n{given}\n\n"
        "Call `check` with the text; repair what it reports, and check again until it compiles.",
    ),
)


def messages(params: dict[str, Any]) -> dict[str, Any]:
    """A prompt with its argument; ProtocolError for one that does not exist, or without its argument."""
    name = text_in(params, "name")
    prompt = next((each for each in PROMPTS if each.name == name), None)
    if prompt is None:
        raise unknown("prompt", name)
    arguments = params.get("arguments")
    given = arguments.get(prompt.argument) if isinstance(arguments, dict) else None
    if not isinstance(given, str) or not 0 < len(given) <= MAX_ARGUMENT_CHARACTERS:
        raise ProtocolError(INVALID_PARAMS, f"the prompt {prompt.name} needs its argument `{prompt.argument}`, a text")
    text = prompt.text.replace("{given}", given)
    content = {"type": "text", "text": text}
    return {"description": prompt.description, "messages": [{"role": "user", "content": content}]}
