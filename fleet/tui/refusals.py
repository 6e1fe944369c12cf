"""Why a key is refused at this moment: each looks at the context, and says why not, or nothing."""

from collections.abc import Callable

from msgspec import Struct

from fleet.core.policy import Priority
from fleet.core.rows import Ask, LiveRow
from fleet.tui.model import EMPTY, Model


class Context(Struct, frozen=True, kw_only=True):
    """What a refusal may look at: the state, the task that is selected, the screen on top."""

    model: Model = EMPTY
    live: LiveRow | None = None
    screen: str = "fleet"
    linked: bool = True


Refusal = Callable[[Context], str | None]


def never(_: Context) -> str | None:
    """Refuse nothing."""
    return None


NO_LINK = "the supervisor is away; what you see is as it was"


def on_task(call: str) -> Refusal:
    """Return a refusal: no task is selected, or the supervisor says why `call` cannot be."""

    def refusal(context: Context) -> str | None:
        if context.live is None:
            return "no task is selected"
        if not context.linked:
            return NO_LINK
        return context.live.refusals.get(call)

    return refusal


def asked(context: Context) -> Ask | None:
    """Return what the selected task asks of a person."""
    return context.live.ask if context.live else None


def answer(context: Context) -> str | None:
    ask, task = asked(context), context.live.row.task if context.live else ""
    if ask is None:
        return f"{task} asks for nothing" if task else on_task("answer")(context)
    if ask.id is None:
        return f"{task} takes an answer in its pane only"
    return on_task("answer")(context)


def verdict(context: Context) -> str | None:
    ask = asked(context)
    if context.live and ask is not None and ask.id is not None and ask.kind == "question":
        return f"{context.live.row.task} asks a question; choose an answer, or send one"
    return answer(context)


def digit(context: Context) -> str | None:
    ask = asked(context)
    return answer(context) if ask is not None and ask.choices else None


def pause(context: Context) -> str | None:
    why = on_task("pause")(context)
    if context.live is None or why is None or on_task("resume")(context) is None:
        return None if context.live is not None else why
    return why


def needs(context: Context) -> str | None:
    wanting = any(live.section == "needs" for live in context.model.tasks.values())
    return None if wanting else "nothing needs you"


def linked(context: Context) -> str | None:
    return None if context.linked else NO_LINK


def thaw(context: Context) -> str | None:
    if context.live is not None and context.live.kind != "frozen":
        return f"the queue of {context.live.row.target} is not frozen"
    return on_task("thaw")(context)


def until(last: Priority) -> Refusal:
    def refusal(context: Context) -> str | None:
        if context.live is not None and context.live.row.priority == last:
            return f"{context.live.row.task} has the priority {last} already"
        return on_task("priority")(context)

    return refusal
