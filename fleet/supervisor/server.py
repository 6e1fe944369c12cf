"""The supervisor's socket: one JSON object a line, from this user's own processes only."""

import asyncio
import contextlib
import socket
import struct
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import msgspec

from fleet import protocol as p
from fleet.client.environment import permitted
from fleet.core.commands import Answer, AnyCommand, Command, Send, Spawn, Submit
from fleet.core.facts import SpawnFacts, SubmitFacts
from fleet.core.ids import TaskId
from fleet.errors import FleetError, RefusedError
from fleet.supervisor.answers import (
    agents,
    comments,
    conflicts,
    diffs,
    look,
    panes,
    reasons,
    review,
    screens,
    streams,
    watch,
)
from fleet.supervisor.asking import facts_for
from fleet.supervisor.host import Host
from fleet.supervisor.perform.surroundings import store_environment

_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid: struct ucred of unix(7)

_ANSWERS: dict[type[Command], Callable[[Host, Any], Awaitable[Any]]] = {
    p.List: look.ls,
    p.Show: look.show,
    p.Why: reasons.why,
    p.Next: look.next_,
    p.Queue: look.queue,
    p.Pr: look.pr,
    p.Conflicts: conflicts.conflicts,
    p.Status: look.status,
    p.Report: look.report,
    p.Path: panes.path,
    p.Screen: panes.screen,
    p.Log: panes.log,
    p.Attach: panes.attach,
    p.Agents: agents.agents,
}
# Who asks makes a difference here: a person counts as having been shown it.
_TO_SOMEBODY: dict[type[Command], Callable[[Host, Any, str], Awaitable[Any]]] = {
    p.Diff: diffs.diff,
    p.Review: review.review,
    p.Comments: comments.comments,
}
_STREAMS: dict[type[Command], Callable[[Host, Any], AsyncGenerator[Any, None]]] = {
    p.Events: streams.events,
    p.Wait: streams.wait,
    p.Watch: watch.watch,
}


class Server:
    """Answers clients for as long as it is open; `on_down` is called when one asks us to end."""

    def __init__(
        self, host: Host, *, on_down: Callable[[], None], on_restart: Callable[[], None]
    ) -> None:
        self._host, self._on_down, self._on_restart = host, on_down, on_restart
        self._server: asyncio.Server | None = None
        self._requests: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen; a socket file that a killed supervisor left is replaced."""
        path = self._host.home.socket()
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
        path.chmod(0o600)
        self._server = await asyncio.start_unix_server(
            self._serve, sock=listener, limit=p.LINE_LIMIT
        )

    async def close(self) -> None:
        """Answer nobody any more, and leave no socket behind."""
        if self._server is not None:
            self._server.close()
        for request in tuple(self._requests):
            request.cancel()
        await asyncio.gather(*self._requests, return_exceptions=True)
        self._host.home.socket().unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if _uid(writer) == self._host.uid:
                await self._converse(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # it left; whatever it asked for was recorded or was not
        finally:
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine: set[asyncio.Task[None]] = set()
        over = asyncio.Event()  # the view that this connection has now
        try:
            while line := await _line(reader):
                request = _understood(line)
                if isinstance(request, p.Failure):
                    self._host.vitals.note_garbage(f"on the socket: {request.message}")
                    await _say(writer, request)
                    continue
                if isinstance(request.ask, p.View):
                    over.set()
                    over = asyncio.Event()
                work = asyncio.ensure_future(self._attend(request, writer, over))
                for tasks in (mine, self._requests):
                    tasks.add(work)
                    work.add_done_callback(tasks.discard)
        finally:
            for work in mine:
                work.cancel()

    async def _attend(
        self, request: p.Request, writer: asyncio.StreamWriter, over: asyncio.Event
    ) -> None:
        try:
            result = await self._answer(request, writer, over)
        except ConnectionError:
            return  # it left in the middle of a stream
        except FleetError as error:
            reply: p.Reply = p.Failure(request.id, error.message, error.hint, error.exit_code)
        except Exception as error:  # noqa: BLE001 (whatever it is, somebody waits for an answer)
            reply = self._lost(request, error)
        else:
            reply = p.Result(request.id, result)
        with contextlib.suppress(ConnectionError):
            await _say(writer, reply)
        if isinstance(request.ask, p.Shutdown) and isinstance(reply, p.Result):
            self._on_down()

    def _lost(self, request: p.Request, error: Exception) -> p.Failure:
        """Note an error of our own; after a command nobody knows what was done: we begin anew."""
        if isinstance(request.ask, p.Query):
            traceback.print_exception(error)  # to the log
        else:
            context = {"message": "a command broke off", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)
        # Its words may hold anything, and belong to the log alone.
        why = f"an internal error of fleet: {type(error).__name__}"
        return p.Failure(request.id, why, f"{self._host.home.log} has the details")

    async def _answer(
        self, request: p.Request, writer: asyncio.StreamWriter, over: asyncio.Event
    ) -> Any:
        ask = request.ask
        if isinstance(ask, p.Hello):
            return self._greet(ask)
        if isinstance(ask, p.Shutdown):
            stream = streams.stop_agents(self._host) if ask.stop_agents else None
            return await _pass_on(stream, request, writer) if stream else {"stopped": 0}
        if isinstance(ask, p.Settled):
            return await self._host.supervisor.settled()
        if (answer_to := _TO_SOMEBODY.get(type(ask))) is not None:
            return await answer_to(self._host, ask, request.actor)
        if isinstance(ask, p.View):
            return await _pass_on(screens.view(self._host, ask, over), request, writer)
        if (stream_of := _STREAMS.get(type(ask))) is not None:
            return await _pass_on(stream_of(self._host, ask), request, writer)
        if (answer := _ANSWERS.get(type(ask))) is not None:
            return await answer(self._host, ask)
        return await self._command(ask, request.actor)  # type: ignore[arg-type] # all queries are above

    def _greet(self, hello: p.Hello) -> dict[str, Any]:
        host = self._host
        restarting = _newer(hello.version, than=host.version)
        if restarting:
            self._on_restart()
        return {
            "version": host.version,
            "pid": host.pid,
            "home": str(host.home.root),
            "restarting": restarting,
        }

    async def _command(self, command: AnyCommand, actor: str) -> Any:
        host = self._host
        if host.vitals.draining:
            raise RefusedError("the supervisor is going down", hint="fleet up, then once more")
        fleet = host.supervisor.fleet
        facts = await asyncio.to_thread(facts_for, host.tools, command, fleet)
        answer = host.supervisor.submit(command, facts, actor=actor)
        if isinstance(command, Spawn | Submit) and isinstance(facts, SpawnFacts | SubmitFacts):
            # The client reads the file that is checked out, which nobody may have trusted.
            named = (*host.tools.policies.fleet.env, *facts.repo.policy.env)
            for name in answer.get("tasks") or [answer["task"]]:
                sent = permitted(command.environment, named)
                store_environment(host.tools, TaskId(name), sent)
        if isinstance(command, Send):
            return await self._sent(answer)
        if isinstance(command, Answer):
            return await host.settled_answer(answer["task"], answer["ask"])
        return answer

    async def _sent(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Wait until each message is delivered, unconfirmed or refused, and say which."""
        waiting = {(one["task"], one["message"]) for one in answer["sent"]}
        outcomes = await self._host.settled_messages(waiting)
        return {"sent": outcomes}


async def _pass_on(
    stream: AsyncGenerator[Any, None], request: p.Request, writer: asyncio.StreamWriter
) -> Any:
    """Send each item on; a `Result` among them is the answer."""
    result = None
    async with contextlib.aclosing(stream):  # at once also where the client has left
        async for item in stream:
            if isinstance(item, p.Result):
                result = item.result
            else:
                await _say(writer, p.Item(request.id, item))
    return result


async def _say(writer: asyncio.StreamWriter, reply: p.Reply) -> None:
    writer.write(p.encode(reply) + b"\n")
    await writer.drain()


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readline()
    except ValueError as error:  # longer than the limit: nobody of ours says so much at once
        raise ConnectionResetError from error


def _understood(line: bytes) -> p.Request | p.Failure:
    try:
        return p.requests.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return p.Failure(_id(line), f"cannot understand the request: {error}", exit_code=2)


def _id(line: bytes) -> int:
    try:
        return msgspec.json.decode(line, type=p.Numbered).id
    except (msgspec.DecodeError, UnicodeDecodeError):
        return 0


def _uid(writer: asyncio.StreamWriter) -> int:
    peer = writer.get_extra_info("socket")
    found = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(found)[1])


def _newer(version: str, *, than: str) -> bool:
    return _numbers(version) > _numbers(than)


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdecimal()]
