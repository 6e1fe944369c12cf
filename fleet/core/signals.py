"""What a live agent does, judged from what each source said last: the winner and the losers.

Hooks and the presence file are the agent's own words, and between them the newer one counts. The
file also holds for as long as it says the same, so it ends what no hook ends. A screen adds that a
person is wanted, where the agent has said nothing of late; it takes nothing away.
"""

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from fleet.core.activity import Activity, Idle, Stalled, Unknown, Waiting, Working
from fleet.core.asking import BROKE_OFF

# In the order of trust; `fleet` is what it must be doing as we have just told it something.
SOURCES = HOOK, PRESENCE, FLEET, SCREEN, PROCESS = (
    *("hook", "presence", "fleet", "screen", "process"),
)
OWN = frozenset({HOOK, PRESENCE})  # the agent's own words
FRESH = timedelta(seconds=3)  # an own word that young is not outvoted by a screen
SETTLE = timedelta(seconds=0.4)  # before a file that turned idle ends what a hook called work
START = timedelta(seconds=10)  # for which an agent that rests has its first prompt still to read
LAG = timedelta(seconds=1)  # by which a file may be behind the hooks
PAIR = timedelta(seconds=5)  # a hook and a file that speak of waiting within it mean one dialog
DECAY = timedelta(seconds=60)  # of silence, after which nobody knows whether it still works
PATIENCE = timedelta(minutes=15)  # with an agent that says it works, and gets nowhere


class Sign(Struct, frozen=True):
    """What one source said, and when by its own clock."""

    source: str
    says: Activity
    at: datetime


class Signs(Struct, frozen=True):
    """The newest sign of each source, and the hook's last one that asked something."""

    newest: dict[str, Sign] = {}
    asked: Sign | None = None


class Life(Struct, frozen=True):
    """Signs of life: when it printed, drew, moved and told anything last; `silence` is its limit.

    It has drawn where it wrote anything, and printed where that has moved the cursor as well. It
    has moved where the words on its screen are others, leaving its counters and spinners out; that
    is None where nobody reads its screen.
    """

    printed: datetime | None = None
    drawn: datetime | None = None
    moved: datetime | None = None
    told: datetime | None = None
    silence: timedelta | None = None


class Judged(Struct, frozen=True):
    """What the agent does, whose word that is, who lost, and when to judge again at the latest."""

    activity: Activity
    wins: Sign
    losers: tuple[Sign, ...]
    look_at: datetime | None = None


def began(at: datetime) -> Signs:
    """Return the signs of a run that has just begun: it works until it exits."""
    return Signs({PROCESS: Sign(PROCESS, Working(), at)})


def heard(signs: Signs, sign: Sign) -> Signs:
    """Return the signs with a new one, which may have been overtaken by a newer one."""
    known = signs.newest.get(sign.source)
    if known is not None and (sign.at < known.at or _again(known, sign)):
        return signs
    asked = signs.asked
    if sign.source == FLEET:
        asked = None  # it was answered, or given something else to do
    elif sign.source == HOOK and isinstance(sign.says, Waiting) and sign.says.ask is not None:
        asked = sign
    return Signs(signs.newest | {sign.source: sign}, asked)


def silenced(signs: Signs, source: str) -> Signs:
    """Return the signs without those of a source that says nothing any more."""
    return replace(signs, newest={name: it for name, it in signs.newest.items() if name != source})


def judge(signs: Signs, now: datetime, life: Life = Life()) -> Judged:  # noqa: B008 (a value)
    """Return what the agent does; the same until `look_at`, if nothing else is heard."""
    own, waits_until = _own(signs, now)
    wins, fresh_until = _with_screen(signs, own, now)
    activity, decays_at = _aged(signs, wins, now, life)
    losers = (signs.newest.get(source) for source in SOURCES)
    times = [when for when in (waits_until, fresh_until, decays_at) if when is not None]
    return Judged(
        activity,
        wins,
        tuple(it for it in losers if it is not None and it is not wins),
        min(times, default=None),
    )


def _again(known: Sign, sign: Sign) -> bool:
    """Whether this tells once more, and no more: some agents remind, and screens count down."""
    before, says = known.says, sign.says
    if not isinstance(before, Waiting) or not isinstance(says, Waiting):
        return False
    same = says.kind == before.kind
    return same and (sign.source == SCREEN or (before.ask is not None and says.ask is None))


def _own(signs: Signs, now: datetime) -> tuple[Sign, datetime | None]:
    """Return the agent's own word, and when that may be another without a new sign."""
    told, file = _told(signs), signs.newest.get(PRESENCE)
    if file is not None and told is None and isinstance(file.says, Idle):
        begun = signs.newest[PROCESS]
        return (begun, begun.at + START) if now - begun.at < START else (file, None)
    if file is None or told is None:
        return told or file or signs.newest[PROCESS], None
    match file.says:
        case Waiting():
            return _dialog(signs, told, file, now)
        case Idle():
            return _rest(told, file, now)
        case _:
            return (file if file.at > told.at else told), None


def _told(signs: Signs) -> Sign | None:
    hook, fleet = signs.newest.get(HOOK), signs.newest.get(FLEET)
    if hook is None or fleet is None:
        return hook or fleet
    return fleet if fleet.at > hook.at else hook


def _dialog(signs: Signs, told: Sign, file: Sign, now: datetime) -> tuple[Sign, datetime | None]:
    """A file that says so shows a dialog even where a hook went on with something beside it."""
    asked = signs.asked
    if asked is not None and abs(file.at - asked.at) <= PAIR and told.at <= max(file.at, asked.at):
        return asked, None
    if told.at > file.at and (isinstance(told.says, Waiting) or now - told.at < LAG):
        return told, None if isinstance(told.says, Waiting) else told.at + LAG
    if asked is not None and abs(file.at - asked.at) <= PAIR:
        return asked, None
    if isinstance(told.says, Waiting) and file.at - told.at <= PAIR:
        return told, None
    return file, None


def _rest(told: Sign, file: Sign, now: datetime) -> tuple[Sign, datetime | None]:
    """A file that turned idle ends a turn that was broken off, which no hook tells."""
    if _rests(told.says) or file.at <= told.at:
        return told, None
    if isinstance(told.says, Working) and now - file.at < SETTLE:
        return told, file.at + SETTLE
    return file, None


def _rests(told: Activity) -> bool:
    """Whether an idle agent is what this word is about."""
    match told:
        case Idle():
            return True
        case Working(background=background):
            return background
        case Waiting(kind=kind):
            return kind in BROKE_OFF
        case _:
            return False


def _with_screen(signs: Signs, own: Sign, now: datetime) -> tuple[Sign, datetime | None]:
    screen = signs.newest.get(SCREEN)
    if screen is None or not isinstance(own.says, Working | Idle):
        return own, None
    if own.source == PROCESS or now - own.at >= FRESH:
        return screen, None
    return own, own.at + FRESH


def _aged(signs: Signs, wins: Sign, now: datetime, life: Life) -> tuple[Activity, datetime | None]:
    """An agent that works has to show it: in its words if it ever spoke, else within its limit."""
    if not isinstance(wins.says, Working):
        return wins.says, None
    began_at = signs.newest[PROCESS].at
    printed = max(life.printed or began_at, life.drawn or began_at, began_at)
    if not OWN & signs.newest.keys():
        stalls_at = None if life.silence is None else printed + life.silence
        stalled = stalls_at is not None and now >= stalls_at
        return (Stalled(silent_since=printed), None) if stalled else (wins.says, stalls_at)
    words = [sign.at for sign in signs.newest.values()]
    words.extend([life.told] if life.told else [])
    moved, limit = max(life.moved or printed, *words), life.silence or PATIENCE
    if now >= moved + limit and not wins.says.background:
        return Stalled(silent_since=moved, limit_s=limit.total_seconds()), None
    stalls_at = None if wins.says.background else moved + limit
    unknown_at = max(printed, *words) + DECAY
    if now >= unknown_at:
        return Unknown(), stalls_at
    return wins.says, min(unknown_at, stalls_at or unknown_at)
