"""What an agent is told when it starts, and how: as an argument, or in a file if it is long."""

from fleet.agents.adapter import Request

# Linux takes up to 131,072 bytes as one argument or variable; this leaves room for what may
# stand around a prompt in it.
LONGEST_ARGUMENT = 120_000
PROMPT_FILE = "prompt.txt"


def briefing(request: Request, *, notes: bool) -> str:
    """Return what an agent is told when it starts.

    An agent that takes up a conversation knows its prompt. With `notes`, one that starts afresh
    after others is sent to what they left: right for an agent that reads, wrong for a program.
    """
    if request.conversation is not None:
        return "\n\n".join(request.messages) or "Go on where you stopped."
    pointer = f"Read {request.notes} first: it says how earlier attempts went."
    parts = (request.prompt, *request.messages, pointer if notes and request.attempt > 1 else "")
    return "\n\n".join(part for part in parts if part)


def fits(text: str) -> bool:
    """Return whether a text may be an argument of a program."""
    return len(text.encode()) <= LONGEST_ARGUMENT


def as_argument(request: Request, text: str, file: str = PROMPT_FILE) -> tuple[str, dict[str, str]]:
    """Return what an agent that reads is given as an argument, and the files that it is sent to."""
    return (text, {}) if fits(text) else in_file(request, text, file)


def in_file(request: Request, text: str, file: str = PROMPT_FILE) -> tuple[str, dict[str, str]]:
    """Return words that send to a text, and its file, which is in the run's directory."""
    return f"Read {request.run_dir}/{file} and do what it says.", {file: text}
