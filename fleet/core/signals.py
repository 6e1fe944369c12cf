"""What a live agent does, judged from what each source said last: the winner and the losers.

Hooks, status reports and the presence file are the agent's own words, and between them the newer
one counts. Reports and the file also hold for as long as they say the same, so that they end what
no hook ends. So does the title of the pane, which other programs set, too: it has to stand for a
while, and counts where the agent's own words are older. A screen adds that a person is wanted,
where the agent has said nothing of late; it takes nothing away. That a request failed and is made
again counts once the agent has waited for a while, and until it tells of the next one.
"""

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from fleet.core.activity import Activity, Idle, Stalled, Unknown, Waiting, Working
from fleet.core.asking import BROKE_OFF

# In the order of trust; `fleet` is what it must be doing as we have just told it something.
SOURCES = HOOK, REPORT, PRESENCE, FLEET, TITLE, RETRY, SCREEN, PROCESS = (
    *("hook", "report", "presence", "fleet", "title", "retry", "screen", "process"),
)
OWN = frozenset({HOOK, REPORT, PRESENCE})  # the agent's own words
_STANDING = (REPORT, PRESENCE, TITLE)  # what holds until it says something else
FRESH = timedelta(seconds=3)  # an own word that young is not outvoted by a screen
# Before a file that turned idle ends what a hook called work, and before a report counts of which a
# hook that is on its way may say more.
SETTLE = timedelta(seconds=0.4)
STAND = timedelta(seconds=1.5)  # for which a title says the same before it counts: two looks
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
    wins, waits_at = _with_retry(signs, own, now)
    wins, fresh_until = _with_screen(signs, wins, now)
    activity, decays_at = _aged(signs, wins, now, life)
    losers = (signs.newest.get(source) for source in SOURCES)
    times = [it for it in (waits_until, waits_at, fresh_until, decays_at) if it is not None]
    return Judged(
        activity,
        wins,
        tuple(it for it in losers if it is not None and not _same(it, wins)),
        min(times, default=None),
    )


def _same(one: Sign, other: Sign) -> bool:
    return (one.source, one.says) == (other.source, other.says)


def _again(known: Sign, sign: Sign) -> bool:
    """Whether this tells once more, and no more: some agents remind, and screens count down."""
    before, says = known.says, sign.says
    if sign.source == REPORT and says == Idle(broken_off=True):
        return _rests(before)  # that it rests, after its turn has ended, ends no turn
    if not isinstance(before, Waiting) or not isinstance(says, Waiting):
        return False
    same = says.kind == before.kind
    return same and (sign.source == SCREEN or (before.ask is not None and says.ask is None))


def _own(signs: Signs, now: datetime) -> tuple[Sign, datetime | None]:
    """Return the agent's own word, and when that may be another without a new sign."""
    word, times = _told(signs), []
    for standing in filter(None, map(signs.newest.get, _STANDING)):
        word, until = _with_standing(signs, word, standing, now)
        times.append(until)
    until = min((when for when in times if when is not None), default=None)
    return word or signs.newest[PROCESS], until


Believed = tuple[Sign, datetime | None]


def _with_standing(
    signs: Signs, told: Sign | None, standing: Sign, now: datetime
) -> tuple[Sign | None, datetime | None]:
    """Return which of the two counts, and when that may change."""
    if told is None:
        return _first(signs, standing, now)
    if standing.source == TITLE:
        return _titled(signs, told, standing, now)
    match standing.says:
        case Waiting(kind=kind) if kind in BROKE_OFF:
            return _failed(signs, told, standing, now)
        case Waiting():
            return _dialog(signs, told, standing, now)
        case Idle():
            return _rest(told, standing, now)
        case _:
            return (standing if standing.at > told.at else told), None


def _first(signs: Signs, standing: Sign, now: datetime) -> tuple[Sign | None, datetime | None]:
    """An agent that rests, and has ended no turn by its own word, may not have read its prompt."""
    counts_at = standing.at + STAND if standing.source == TITLE else now
    if isinstance(standing.says, Idle) and not _ended(standing):
        counts_at = max(counts_at, signs.newest[PROCESS].at + START)
    return (None, counts_at) if now < counts_at else (standing, None)


def _ended(sign: Sign) -> bool:
    """Whether this is the agent's word that it ended a turn."""
    said = sign.source in {HOOK, REPORT} and isinstance(sign.says, Idle)
    return said and sign.says != Idle(broken_off=True)


def _told(signs: Signs) -> Sign | None:
    hook, fleet = signs.newest.get(HOOK), signs.newest.get(FLEET)
    if hook is None or fleet is None:
        return hook or fleet
    return fleet if fleet.at > hook.at else hook


def _titled(signs: Signs, told: Sign, title: Sign, now: datetime) -> Believed:
    """A title counts against older words, and adds nothing to what they tell of the same.

    It is looked at late: that of an agent which has just begun to wait may be of its work before.
    """
    rests = isinstance(title.says, Idle) and _rests(told.says)
    both_wait = isinstance(title.says, Waiting) and isinstance(told.says, Waiting)
    before = isinstance(title.says, Working) and isinstance(told.says, Waiting)
    near = title.at - told.at <= PAIR
    same = told.says == title.says or rests or (near and (both_wait or before))
    spoken = (sign.at for sign in signs.newest.values() if sign.source in {*OWN, FLEET})
    if same or title.at <= max(spoken):
        return told, None
    counts_at = title.at + STAND
    return (told, counts_at) if now < counts_at else (title, None)


def _failed(signs: Signs, told: Sign, report: Sign, now: datetime) -> Believed:
    """That a turn broke off is true until something else is said; a hook may know why."""
    if isinstance(told.says, Waiting) and abs(report.at - told.at) <= PAIR:
        return told, None
    if report.at <= told.at:
        return told, None
    return _unless_hook(signs, told, report, now)


def _unless_hook(signs: Signs, told: Sign, report: Sign, now: datetime) -> Believed:
    """A hook that is just on its way says more of the same than a report does."""
    hooked = report.source == REPORT and HOOK in signs.newest
    if hooked and not isinstance(told.says, Waiting) and now < report.at + SETTLE:
        return told, report.at + SETTLE
    return report, None


def _dialog(signs: Signs, told: Sign, file: Sign, now: datetime) -> Believed:
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
    return _unless_hook(signs, told, file, now)


def _rest(told: Sign, file: Sign, now: datetime) -> Believed:
    """A file that turned idle ends a turn that was broken off, which no hook tells."""
    if _ended(file) and _ended(told) and timedelta() <= told.at - file.at <= PAIR:
        return file, None  # who says it second speaks of the same end
    if _rests(told.says) or file.at <= told.at:
        return told, None
    reported = file.source == REPORT and not _ended(file)  # no agent says so between two tools
    if isinstance(told.says, Working) and not reported and now - file.at < SETTLE:
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


def _with_retry(signs: Signs, own: Sign, now: datetime) -> Believed:
    """Nobody is told how long an agent waits before it tries again."""
    retry, told = signs.newest.get(RETRY), _told(signs)
    if retry is None or not isinstance(own.says, Working):
        return own, None
    if told is not None and told.at > retry.at:
        return own, None
    waits_at = retry.at + FRESH
    return (own, waits_at) if now < waits_at else (replace(retry, at=waits_at), None)


def _with_screen(signs: Signs, own: Sign, now: datetime) -> Believed:
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
