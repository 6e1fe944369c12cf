"""Who plays for a person at a terminal, besides the cast: two agents that want to be answered.

They are commands of the stage's own configuration. One asks for a permission; one asks a question,
then works on whatever it is told.
"""

from fleet.cli.demo_cast import CAST, Part

_HOOK = """\
#!/bin/sh
hook() { echo "${2:-{\\}}" | "$FLEET_HOME/bin/fleet-hook" $1; }
keep() { git add -A && git commit -q -m "$1"; }
hook working
"""
SCRIPTS = {
    "careful": f"""{_HOOK}
echo "$1"
echo 'I have written the notes; y in the dashboard lets me publish them, N does not.'
said=$(hook 'waiting --ask' '{{"kind": "permission", "need": "wants to run Shell",
  "tool": "Shell", "input": "make publish NOTES=notes.txt"}}')
hook working
case $said in
  *'"allow"'*) echo 'published' >notes.txt ;;
  *) echo 'a draft' >notes.txt ;;
esac
cat notes.txt
keep "notes: $(cat notes.txt)"
""",
    "talkative": f"""{_HOOK}
turn() {{
  case $1 in "Read /"*) said=${{1#Read }}; set -- "$(tail -n 1 "${{said%% and act*}}")" ;; esac
  hook working
  echo "* working on: $1"
  echo "$1" >>letter.txt
  keep "letter: $1"
  echo '* done; R in the review, or space, tells me more'
  hook idle
}}
hook conversation "{{\\"id\\": \\"$FLEET_TASK\\"}}"
echo "$1"
said=$(hook 'waiting --ask' '{{"kind": "question", "need": "asks: whom is the letter to?",
  "tool": "Question", "input": "Whom is the letter to?", "choices": ["the cats", "everyone"]}}')
said=${{said#*'"text":"'}}
turn "dear ${{said%'"'*}}"
while read -r line; do turn "$line"; done
""",
}
GUESTS = (
    Part(
        "notes",
        "asks for a permission before it goes on",
        "publish the notes",
        "lands",
        agent="careful",
    ),
    Part(
        "letter",
        "asks a question, then does what it is told",
        "write a letter",
        "lands",
        agent="talkative",
    ),
    *CAST,
)
_CONFIG = """\
agents:
  careful: {{command: [sh, {0}/careful, "{{prompt}}"], done: exit}}
  talkative:
    command: [sh, {0}/talkative, "{{prompt}}"]
    converses: true
    done: turn
"""


def configuration(scripts: str) -> str:
    """Return what a person's configuration says of these agents, whose scripts lie there."""
    return _CONFIG.format(scripts)
