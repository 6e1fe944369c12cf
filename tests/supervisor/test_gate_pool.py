"""Gate worktrees are lent to one user at a time, and never more of them than there are workers."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from house import git
from waiting import until

from fleet.core.ids import RepoId
from fleet.paths import Home
from fleet.supervisor.perform.gate_pool import GatePool
from fleet.tools.git.gates import check_out
from fleet.tools.git.repository import Place, locate

R, OTHER = RepoId("r"), RepoId("other")
SOON_S = 20.0


class Pool:
    def __init__(self, home: Home, place: Place) -> None:
        self.home, self.place = home, place
        self.commit = git(place.root, "rev-parse", "main")
        self.stop = threading.Event()
        self.pool = GatePool(home, {R: place, OTHER: place}.get)

    @contextmanager
    def borrowed(self, repo: RepoId = R, workers: int = 2) -> Iterator[Path]:
        with self.pool.borrow(repo, workers=workers, stop=self.stop) as path:
            assert path
            check_out(self.place, path, self.commit, lock=self.home.worktree_lock(repo))
            yield path

    def made(self, repo: RepoId = R) -> list[str]:
        return sorted(it.name for it in self.home.gate(repo, "0").parent.glob("*"))

    def known(self) -> set[Path]:
        listed = git(self.place.root, "worktree", "list", "--porcelain").splitlines()
        found = (line.partition(" ")[2] for line in listed if line.startswith("worktree "))
        return {Path(it) for it in found} - {self.place.root}


@pytest.fixture
def pool(tmp_path: Path, repo: Path) -> Pool:
    (tmp_path / "h").mkdir()
    return Pool(Home(tmp_path / "h"), locate(repo))


@pytest.fixture
def in_thread() -> Iterator[Callable[[Callable[[], None]], threading.Thread]]:
    threads: list[threading.Thread] = []

    def start(work: Callable[[], None]) -> threading.Thread:
        threads.append(threading.Thread(target=work))
        threads[-1].start()
        return threads[-1]

    yield start
    for thread in threads:
        thread.join(SOON_S)
        assert not thread.is_alive()


def wait_for_waiting(pool: Pool, count: int) -> None:
    until(lambda: len(pool.pool._waiting) == count)


def test_two_users_never_share_one(pool: Pool) -> None:
    with pool.borrowed() as one, pool.borrowed() as two:
        assert one != two
        assert pool.pool.lent() == 2
    assert pool.pool.lent() == 0


def test_the_one_used_last_is_lent_first(pool: Pool) -> None:
    with ExitStack() as first:
        one = first.enter_context(pool.borrowed())
        with pool.borrowed() as two:
            pass
        with pool.borrowed() as again:
            assert again == two
    with pool.borrowed() as last:
        assert last == one


def test_after_a_restart_one_that_is_there_is_lent_first(pool: Pool) -> None:
    with pool.borrowed(), pool.borrowed():
        pass
    git(pool.place.root, "worktree", "remove", "-ff", str(pool.home.gate(R, "0")))
    with Pool(pool.home, pool.place).borrowed() as path:
        assert path == pool.home.gate(R, "1")


def test_the_workers_are_counted_over_all_repositories(
    pool: Pool, in_thread: Callable[[Callable[[], None]], threading.Thread]
) -> None:
    got: list[Path] = []

    def third() -> None:
        with pool.borrowed(OTHER) as path:
            got.append(path)

    with ExitStack() as second, pool.borrowed():
        second.enter_context(pool.borrowed())
        waiting = in_thread(third)
        until(lambda: bool(pool.pool._waiting))
        assert not got
        second.close()
        waiting.join(SOON_S)
        assert got == [pool.home.gate(OTHER, "0")]


def test_who_came_first_is_served_first(
    pool: Pool, in_thread: Callable[[Callable[[], None]], threading.Thread]
) -> None:
    served: list[int] = []

    def user(number: int) -> Callable[[], None]:
        def use() -> None:
            with pool.borrowed(workers=1):
                served.append(number)

        return use

    with pool.borrowed(workers=1):
        for number in range(5):
            in_thread(user(number))
            wait_for_waiting(pool, number + 1)
    until(lambda: len(served) == 5)
    assert served == [0, 1, 2, 3, 4]


def test_who_is_stopped_waits_no_more_and_is_in_nobodys_way(
    pool: Pool, in_thread: Callable[[Callable[[], None]], threading.Thread]
) -> None:
    got: list[Path | None] = []
    given_up = threading.Event()

    def waits() -> None:
        with pool.pool.borrow(R, workers=1, stop=given_up) as path:
            got.append(path)

    def next_one() -> None:
        with pool.borrowed(workers=1) as path:
            got.append(path)

    with pool.borrowed(workers=1) as only:
        in_thread(waits)
        until(lambda: len(pool.pool._waiting) == 1)
        in_thread(next_one)
        until(lambda: len(pool.pool._waiting) == 2)
        given_up.set()
        until(lambda: got == [None])
    until(lambda: len(got) == 2)
    assert got == [None, only]


def test_one_whose_user_failed_is_lent_again(pool: Pool) -> None:
    with pytest.raises(ValueError, match="a check"), pool.borrowed(workers=1):
        raise ValueError("a check")
    with pool.borrowed(workers=1) as path:
        assert path == pool.home.gate(R, "0")


def test_many_users_at_once_never_meet(
    pool: Pool, in_thread: Callable[[Callable[[], None]], threading.Thread]
) -> None:
    inside: set[Path] = set()
    met: list[Path] = []
    most = 0
    guard = threading.Lock()
    ended: list[None] = []

    def use(repo: RepoId) -> None:
        nonlocal most
        for _ in range(20):
            with pool.pool.borrow(repo, workers=3, stop=pool.stop) as path:
                assert path
                with guard:
                    met.extend({path} & inside)
                    inside.add(path)
                    most = max(most, len(inside))
                with guard:
                    inside.discard(path)
        ended.append(None)

    for _ in range(4):
        in_thread(lambda: use(R))
        in_thread(lambda: use(OTHER))
    until(lambda: len(ended) == 8)
    assert met == []
    assert 1 <= most <= 3


class TestRemoving:
    def test_what_is_beyond_the_workers_goes_once_it_is_idle(self, pool: Pool) -> None:
        with ExitStack() as busy:
            for _ in range(3):
                busy.enter_context(pool.borrowed(workers=4))
            with pool.borrowed(workers=4):
                pass
            assert pool.made() == ["0", "1", "2", "3"]
        with ExitStack() as busy:
            busy.enter_context(pool.borrowed(workers=4))
            with pool.borrowed(workers=2):
                held = pool.made()
        assert "3" not in held or "2" not in held
        with pool.borrowed(workers=1):
            assert pool.made() == ["0"]
        assert pool.known() == {pool.home.gate(R, "0")}
        assert not any(pool.home.trash.iterdir())

    def test_one_that_is_in_use_stays_whatever_its_number(self, pool: Pool) -> None:
        with ExitStack() as busy:
            taken = [busy.enter_context(pool.borrowed(workers=3)) for _ in range(2)]
            with pool.borrowed(R, workers=3):
                pass
            pool.pool._remove([pool.home.gate(R, name) for name in pool.made()])
            assert pool.made() == sorted(path.name for path in taken)

    def test_those_of_an_older_version_go(self, pool: Pool) -> None:
        old = pool.home.gate(R, "main-0a1b2c3d")
        check_out(pool.place, old, pool.commit, lock=pool.home.worktree_lock(R))
        with pool.borrowed():
            assert pool.made() == ["0"]
        assert old not in pool.known()

    def test_what_is_not_ours_stays(self, pool: Pool, tmp_path: Path) -> None:
        root = pool.home.gate(R, "x").parent
        git(pool.place.root, "init", "-q", str(root / "someones"))
        (root / "notes").mkdir()
        (root / "link").symlink_to(tmp_path)
        with pool.borrowed():
            pass
        pool.pool.make_room({R})
        assert pool.made() == ["0", "link", "notes", "someones"]

    def test_those_of_a_repository_that_nobody_found_yet_stay(self, pool: Pool) -> None:
        with pool.borrowed(), pool.borrowed():
            pass
        GatePool(pool.home, lambda _: None).make_room({R})
        assert pool.made() == ["0", "1"]

    def test_a_crowded_repository_keeps_the_warm_one_and_what_is_in_use(self, pool: Pool) -> None:
        with ExitStack() as busy:
            used = busy.enter_context(pool.borrowed(workers=4))
            with ExitStack() as more:
                for _ in range(2):
                    more.enter_context(pool.borrowed(workers=4))
                last = more.enter_context(pool.borrowed(workers=4))
                more.pop_all().close()
            with pool.borrowed(workers=4) as last:
                pass
            pool.pool.make_room({OTHER})
            assert len(pool.made()) == 4
            pool.pool.make_room({R})
            assert pool.made() == sorted((used.name, last.name))
