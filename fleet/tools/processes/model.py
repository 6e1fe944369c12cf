"""What is known of a process; its name is no part of it, for names lie."""

from msgspec import Struct


class Identity(Struct, frozen=True, order=True):
    """One process for ever: a number is given again, but not with the same start time."""

    pid: int
    start: int  # clock ticks since the machine started


class Process(Struct, frozen=True):
    """One line of the process table."""

    pid: int
    ppid: int
    pgid: int
    session: int
    start: int
    state: str
    cpu_ticks: int
    rss_bytes: int

    @property
    def identity(self) -> Identity:
        return Identity(self.pid, self.start)

    @property
    def is_alive(self) -> bool:
        return self.state not in "ZX"  # a zombie runs nothing and holds nothing


class Usage(Struct, frozen=True):
    """What a tree of living processes has used."""

    cpu_ticks: int
    rss_bytes: int
    processes: int
