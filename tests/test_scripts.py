"""What scripts/lib.sh makes ready, or says to type: with programs of our own in PATH."""

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from waiting import until

LIB = Path(__file__).parents[1] / "scripts" / "lib.sh"
TOOLS = (
    "bash",
    "cat",
    "chmod",
    "cksum",
    "dirname",
    "find",
    "flock",
    "mkdir",
    "mktemp",
    "rm",
    "rmdir",
    "touch",
)
# Stands for Python: it makes environments that hold itself, and notes what is installed in them.
PYTHON = """\
#!{bash}
root={root}
case "$*" in
  *sys.executable*) echo "$root/bin/python3" ;;
  *ensurepip*) [[ ! -e $root/no-venv-module ]] ;;
  *version_info*) echo python3.11-venv ;;
  *base_prefix*) cat "$root/version" ;;
  "-m venv "*)
    echo "venv" >>"$root/log"
    [[ ! -e $root/venv-hangs ]] || {{ : >"$root/hanging"; read -r <"$root/fifo"; }}
    mkdir "$3/bin" && : >"$3/pyvenv.cfg"
    cat "$root/bin/python3" >"$3/bin/python" && chmod +x "$3/bin/python" ;;
  "-m pip "*) echo "${{*: -3}}${{PIP_TARGET:-}}" >>"$root/log"; [[ ! -e $root/pip-fails ]] ;;
esac
"""


@dataclass(frozen=True)
class Checkout:
    """A checkout with a PATH of its own, in which nothing is but what a test puts there."""

    root: Path

    def program(self, name: str, script: str) -> None:
        file = self.root / "bin" / name
        file.unlink(missing_ok=True)
        file.write_text(f"#!{shutil.which('bash')}\n{script}\n")
        file.chmod(0o755)

    def program_prints(self, name: str, text: str) -> None:
        self.program(name, f"echo {shlex.quote(text)}")

    def start(self, *words: str) -> "subprocess.Popen[str]":
        path = f"{self.root / 'shims'}:{self.root / 'bin'}"
        env = {"PATH": path, "HOME": str(self.root), "PIP_TARGET": "/elsewhere"}
        lib = shlex.quote(str(self.root / "scripts" / "lib.sh"))
        return subprocess.Popen(
            [
                str(shutil.which("bash")),
                "-c",
                f"set -euo pipefail; . {lib}; {' '.join(words)}",
                "me",
            ],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str) -> tuple[int, str, str]:
        started = self.start(*(words or ("ready",)))
        out, err = started.communicate()
        return started.returncode, out, err

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    def log(self) -> list[str]:
        log = self.root / "log"
        return log.read_text().splitlines() if log.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = Checkout(tmp_path / "a checkout")
    for name in ("bin", "scripts", "shims"):
        (made.root / name).mkdir(parents=True)
    for tool in TOOLS:
        (made.root / "bin" / tool).symlink_to(str(shutil.which(tool)))
    shutil.copy(LIB, made.root / "scripts")
    (made.root / "pyproject.toml").write_text("[project]\n")
    (made.root / "version").write_text("3.11.0\n")
    made.program_prints("git", "git version 2.39.5")
    made.program_prints("tmux", "tmux 3.3a")
    made.program_prints("id", "1000")
    root, bash = shlex.quote(str(made.root)), shutil.which("bash")
    (made.root / "bin" / "python3").write_text(PYTHON.format(root=root, bash=bash))
    (made.root / "bin" / "python3").chmod(0o755)
    return made


# --- an environment -----------------------------------------------------------------------------


def test_it_is_made_once(checkout: Checkout) -> None:
    code, out, err = checkout.run()

    assert (code, out) == (0, ""), err
    assert checkout.log() == [
        "venv",
        "--quiet --upgrade pip>=25.1",
        f"{checkout.root} --group {checkout.root}/pyproject.toml:dev",
    ]
    assert checkout.run() == (0, "", "")
    assert len(checkout.log()) == 3


@pytest.mark.parametrize("name", ["pyproject.toml", "version"])
def test_it_is_made_anew_when_what_it_was_made_from_has_changed(
    checkout: Checkout, name: str
) -> None:
    checkout.run()
    (checkout.root / name).write_text("another\n")
    (checkout.venv / "stale").touch()

    assert checkout.run()[0] == 0
    assert checkout.log().count("venv") == 2
    assert not (checkout.venv / "stale").exists()


def test_a_checkout_that_was_moved_gets_its_own(checkout: Checkout) -> None:
    checkout.run()
    moved = Checkout(checkout.root.rename(checkout.root.with_name("moved")))
    text = PYTHON.format(root=shlex.quote(str(moved.root)), bash=shutil.which("bash"))
    for python in (moved.root / "bin" / "python3", moved.venv / "bin" / "python"):
        python.write_text(text)

    assert moved.run()[0] == 0
    assert moved.log().count("venv") == 2


def test_what_failed_is_begun_again(checkout: Checkout) -> None:
    (checkout.root / "pip-fails").touch()
    code, _, err = checkout.run()
    assert code == 1
    assert "me: pip could not install what pyproject.toml names" in err

    (checkout.root / "pip-fails").unlink()
    assert checkout.run()[0] == 0
    assert checkout.log().count("venv") == 2


def test_what_was_interrupted_is_begun_again(checkout: Checkout) -> None:
    (checkout.root / "venv-hangs").touch()
    os.mkfifo(checkout.root / "fifo")
    started = checkout.start("ready")
    until((checkout.root / "hanging").exists)
    assert not (checkout.venv / "pyvenv.cfg").exists()
    started.kill()
    (checkout.root / "fifo").write_text("go on\n")
    started.communicate()

    (checkout.root / "venv-hangs").unlink()
    assert checkout.run()[0] == 0


def test_of_two_at_once_one_makes_it(checkout: Checkout) -> None:
    (checkout.root / "venv-hangs").touch()
    os.mkfifo(checkout.root / "fifo")
    both = [checkout.start("ready") for _ in range(2)]
    until((checkout.root / "hanging").exists)
    (checkout.root / "venv-hangs").unlink()
    (checkout.root / "fifo").write_text("go on\n")

    said = [started.communicate()[1] for started in both]
    assert [started.returncode for started in both] == [0, 0]
    assert "" in said  # the second waited, and found it ready
    assert checkout.log().count("venv") == 1


@pytest.mark.parametrize("left", [(), ("making",), ("pyvenv.cfg",), ("making", "pyvenv.cfg")])
def test_a_removal_that_was_interrupted_is_taken_up_again(
    checkout: Checkout, left: tuple[str, ...]
) -> None:
    checkout.venv.mkdir()
    for name in left:
        (checkout.venv / name).touch()

    assert checkout.run()[0] == 0


def test_what_tells_an_environment_is_removed_last(checkout: Checkout) -> None:
    checkout.run()
    rm = shutil.which("rm")
    (checkout.venv / "ready").unlink()
    checkout.program("rm", f'{rm} -rf "${{@:2}}"; kill -KILL $PPID')
    checkout.run()
    assert (checkout.venv / "pyvenv.cfg").exists()

    (checkout.root / "bin" / "rm").unlink()
    (checkout.root / "bin" / "rm").symlink_to(str(rm))
    assert checkout.run()[0] == 0


def test_a_directory_of_someone_is_left_alone(checkout: Checkout) -> None:
    checkout.venv.mkdir()
    (checkout.venv / "precious").touch()
    code, _, err = checkout.run()

    assert code == 1
    assert ".venv is there and is no virtual environment\n       move it away" in err
    assert (checkout.venv / "precious").exists()


def test_a_link_is_replaced_and_what_it_names_is_left_alone(checkout: Checkout) -> None:
    other = checkout.root / "other"
    other.mkdir()
    (other / "precious").touch()
    checkout.venv.symlink_to(other)

    assert checkout.run()[0] == 0
    assert not checkout.venv.is_symlink()
    assert [path.name for path in other.iterdir()] == ["precious"]


# --- Python -------------------------------------------------------------------------------------


def test_a_shim_for_a_python_that_is_not_installed_is_passed_over(checkout: Checkout) -> None:
    checkout.program("python3.13", "exit 127")
    checkout.program("../shims/python3", "exit 127")

    assert checkout.run("find_python") == (0, f"{checkout.root}/bin/python3\n", "")


def test_the_python_that_is_named_is_taken(checkout: Checkout) -> None:
    checkout.program_prints("mine", "/its/real/path")

    assert checkout.run("PYTHON=mine", "find_python") == (0, "/its/real/path\n", "")


def test_a_python_too_old_is_refused(checkout: Checkout) -> None:
    real = checkout.root / "bin" / "python3"
    real.unlink()
    code, _, err = checkout.run()

    assert code == 1
    assert "no Python 3.11 or newer in PATH\n       install one, or name it: PYTHON=" in err


def test_the_real_python_is_asked_in_a_way_it_understands(checkout: Checkout) -> None:
    code, out, _ = checkout.run(f"PYTHON={shlex.quote(sys.executable)}", "find_python")

    assert code == 0
    assert Path(out.strip()).samefile(sys.executable)


def test_debian_s_python_gets_the_module_it_lacks(checkout: Checkout) -> None:
    (checkout.root / "no-venv-module").touch()
    checkout.program_prints("id", "0")
    gone = shlex.quote(str(checkout.root / "no-venv-module"))
    log = shlex.quote(str(checkout.root / "apt"))
    checkout.program("apt-get", f'echo "$*" >>{log}; [[ $1 != install ]] || rm -f {gone}')

    assert checkout.run()[0] == 0
    assert (checkout.root / "apt").read_text() == "update -qq\ninstall -y python3.11-venv\n"


def test_a_python_without_that_module_is_refused_elsewhere(checkout: Checkout) -> None:
    (checkout.root / "no-venv-module").touch()
    code, _, err = checkout.run()

    assert code == 1
    assert "cannot make virtual environments\n       name another one: PYTHON=" in err


# --- git and tmux -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (("git version 2.38.0", "tmux 3.2"), ""),
        (("git version 2.39.5 (Apple Git-154)", "tmux next-3.4"), ""),
        (("git version 3.0", "tmux 10.1"), ""),
        (("git version 2.9.1", "tmux 3.2a"), "git"),
        (("git version 2.37.9", "tmux 3.1c"), "git\ntmux"),
        (("git version 2.38", "tmux master"), "tmux"),
        (("", ""), "git\ntmux"),
    ],
)
def test_a_program_that_is_too_old_is_missing(
    checkout: Checkout, said: tuple[str, str], wanted: str
) -> None:
    for name, text in zip(("git", "tmux"), said, strict=True):
        checkout.program_prints(name, text)

    assert checkout.run("missing_programs")[1].strip() == wanted


def test_a_missing_program_is_noticed_though_the_environment_is_ready(checkout: Checkout) -> None:
    checkout.run()
    (checkout.root / "bin" / "tmux").unlink()

    assert checkout.run() == (
        1,
        "",
        "me: missing: tmux\n       install it with your system's package manager\n",
    )


@pytest.mark.parametrize(
    ("manager", "typed"),
    [
        ("apt-get", "sudo apt-get install -y tmux"),
        ("dnf", "sudo dnf install -y tmux"),
        ("pacman", "sudo pacman -S --noconfirm --needed tmux"),
        ("apk", "sudo apk add tmux"),
    ],
)
@pytest.mark.parametrize("sudo", [True, False])
def test_who_may_not_install_is_told_what_to_type(
    checkout: Checkout, manager: str, typed: str, *, sudo: bool
) -> None:
    checkout.program_prints("tmux", "tmux 2.9")
    checkout.program(manager, f": >{shlex.quote(str(checkout.root / 'ran'))}")
    if sudo:
        checkout.program("sudo", "exit 1 # it would ask for a password")

    assert checkout.run() == (1, "", f"me: missing: tmux\n       type: {typed}\n")
    assert not (checkout.root / "ran").exists()


@pytest.mark.parametrize("manager", ["apt-get", "brew"])
def test_what_may_be_installed_is(checkout: Checkout, manager: str) -> None:
    checkout.program_prints("tmux", "tmux 2.9")
    if manager != "brew":  # which refuses to be run by root
        checkout.program("sudo", '[[ $1 == -n ]] || "$@"')
    tmux = shlex.quote(str(checkout.root / "bin" / "tmux"))
    checkout.program(manager, f"[[ $1 != install ]] || echo 'echo tmux 3.3a' >{tmux}")

    assert checkout.run()[0] == 0


def test_an_installation_that_fails_says_what_was_tried(checkout: Checkout) -> None:
    checkout.program_prints("tmux", "tmux 2.9")
    checkout.program_prints("id", "0")
    checkout.program("apt-get", "exit 100")

    assert checkout.run() == (
        1,
        "",
        "me: installing tmux\nme: could not install: tmux\n       type: apt-get install -y tmux\n",
    )


def test_what_is_too_old_even_when_newly_installed_is_refused(checkout: Checkout) -> None:
    checkout.program_prints("tmux", "tmux 2.9")
    checkout.program_prints("id", "0")
    checkout.program("apt-get", "")
    code, _, err = checkout.run()

    assert code == 1
    assert "too old even now: tmux\n       fleet needs git 2.38 and tmux 3.2 or newer" in err


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="there is no memory to work in")
@pytest.mark.parametrize(
    ("before", "free", "place"),
    [
        ("", 5_000_000, "/dev/shm"),
        ("", 1_000_000, "none"),
        ("TMPDIR=/elsewhere;", 5_000_000, "/elsewhere"),
    ],
)
def test_temporary_files_are_in_memory_where_there_is_room(
    checkout: Checkout, before: str, free: int, place: str
) -> None:
    checkout.program_prints("df", f"Filesystem blocks Used Available\ntmpfs 9 9 {free} 1% /dev/shm")

    script = f"{before} work_in_memory; echo ${{TMPDIR:-none}}"

    assert checkout.run(script) == (0, f"{place}\n", "")


def test_where_no_program_may_run_is_no_place_to_work(checkout: Checkout) -> None:
    checkout.program("chmod", "exit 0")  # as if it were mounted so

    assert checkout.run("runs_programs . || echo no") == (0, "no\n", "")
