"""Copilot CLI's own file of trusted folders, and what it is to say with a person's consent."""

import json

from fleet.agents.adapter import Request, Seed

TRUST = "trust"  # what a person may consent to


def config_files(request: Request) -> tuple[str, ...]:
    """Return the files that `seeds` looks at."""
    home = request.environment.get("HOME")
    folder = request.environment.get("COPILOT_HOME") or (f"{home}/.copilot" if home else None)
    return (f"{folder}/config.json",) if folder else ()


def seeds(request: Request) -> tuple[Seed, ...]:
    """Return its file with the repository in it, where a person agreed: worktrees follow that."""
    if TRUST not in request.consents or not request.repo:
        return ()
    for file in config_files(request):
        said = _trusting(request.config.get(file) or "{}", request.repo)
        if said is not None:
            return (Seed(file, said),)
    return ()


def _trusting(text: str, repo: str) -> str | None:
    """Return the text with one more folder; None where it is there or nothing is understood."""
    comments, body = _apart(text)
    try:
        known = json.loads(body)
    except (ValueError, RecursionError):
        return None  # a file that is not understood is not written
    if not isinstance(known, dict):
        return None
    folders = known.setdefault("trustedFolders", [])
    if not isinstance(folders, list) or repo in folders:
        return None
    folders.append(repo)
    return comments + json.dumps(known, indent=2, ensure_ascii=False) + "\n"


def _apart(text: str) -> tuple[str, str]:
    """Return the lines of comment at the beginning, which it writes itself, and the rest."""
    lines = text.splitlines(keepends=True)
    count = next((i for i, line in enumerate(lines) if not line.startswith("//")), len(lines))
    return "".join(lines[:count]), "".join(lines[count:])
