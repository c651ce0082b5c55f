"""Machines made of Linux namespaces: each has addresses, a name, a clock and processes of its own.

    python -m benchmarks.namespaces

runs the drill that needs them. The whole of it lives in namespaces of its own (``inside``): two drills do not meet, the
machine's own network is left alone, and when the first process ends, however it does, the kernel ends all the others
and takes the networks away.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent
#: of its own: mounts, network, name, processes
UNSHARE = ("unshare", "--mount", "--net", "--uts", "--pid", "--fork", "--mount-proc", "--kill-child")
#: set in the environment of who is inside
INSIDE = "NACHLESE_DRILL_INSIDE"
#: the two networks: database and archive in one, the web in the other. A machine is cut from either of them.
NETWORKS = {"db": "10.77.0", "web": "10.78.0"}
SERVER = {name: f"{prefix}.1" for name, prefix in NETWORKS.items()}
_TRIED = "ip link add name drill0 type veth peer name drill1 && mount -t tmpfs drill /run"


def reason_against() -> str | None:
    """Why there can be no namespaces here; None where they can be."""
    if not sys.platform.startswith("linux"):
        return "network namespaces are Linux's"
    if os.geteuid() != 0:
        return "only root makes network namespaces"
    missing = [program for program in ("unshare", "ip", "mount") if not shutil.which(program)]
    if missing:
        return f"{missing[0]} is not installed"
    tried = subprocess.run([*UNSHARE, "sh", "-c", _TRIED], capture_output=True, text=True, timeout=60, check=False)
    return f"no namespaces here: {tried.stderr.strip()[-200:]}" if tried.returncode else None


def inside(module: str, arguments: Sequence[str]) -> int:
    """Run ``python -m MODULE`` in namespaces of its own; its exit code."""
    command = [*UNSHARE, sys.executable, "-m", module, *arguments]
    return subprocess.run(command, env=os.environ | {INSIDE: "1"}, cwd=ROOT, check=False).returncode


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")


def unpacked(revision: str, folder: Path) -> Path:
    """The code of another *revision* of this repository, in *folder*."""
    folder.mkdir()
    archive = folder / "code.tar"
    run(
        "git",
        "-C",
        str(ROOT),
        "archive",
        f"--output={archive}",
        revision,
        "crawler",
        "pipelines",
        "config",
        "tests/pages",
    )
    run("tar", "-C", str(folder), "-xf", str(archive))
    archive.unlink()
    return folder


def shifted_clock(folder: Path) -> Path | None:
    """The library that shifts a process's wall clock, built into *folder*; None where there is no compiler."""
    library, compiler = folder / "shifted_clock.so", shutil.which("cc")
    if compiler is None:
        return None
    run(compiler, "-shared", "-fPIC", "-o", str(library), str(ROOT / "tests" / "shifted_clock.c"), "-ldl")
    return library


def make_networks(hosts: Sequence[str]) -> None:
    """The two networks, and *hosts* as names of the server in the web. For who is inside."""
    assert os.environ.get(INSIDE), "this changes the network of the machine"
    Path("/run/netns").mkdir(parents=True, exist_ok=True)
    run("mount", "-t", "tmpfs", "drill", "/run/netns")
    run("ip", "link", "set", "lo", "up")
    for name in NETWORKS:
        run("ip", "link", "add", "name", f"br-{name}", "type", "bridge")
        run("ip", "addr", "add", f"{SERVER[name]}/24", "dev", f"br-{name}")
        run("ip", "link", "set", f"br-{name}", "up")
    with tempfile.NamedTemporaryFile("w", delete=False) as names:
        names.write("127.0.0.1 localhost\n" + "".join(f"{SERVER['web']} {host}\n" for host in hosts))
    Path(names.name).chmod(0o644)
    run("mount", "--bind", names.name, "/etc/hosts")
    Path(names.name).unlink()


@dataclass(eq=False)
class Machine:
    """One machine of the drill. ``clock`` is how many seconds its wall clock is ahead, ``code`` what is installed."""

    number: int
    environment: dict[str, str]
    folder: Path
    clock: int = 0
    library: Path | None = None
    code: Path = ROOT
    running: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"m{self.number}"

    @property
    def address(self) -> str:
        """Its address in the web."""
        return f"{NETWORKS['web']}.{10 + self.number}"

    def connect(self) -> None:
        """Plug it into both networks."""
        self.folder.mkdir(parents=True, exist_ok=True)
        run("ip", "netns", "add", self.name)
        run("ip", "-n", self.name, "link", "set", "lo", "up")
        for network, prefix in NETWORKS.items():
            cable = f"{network}{self.number}"
            run("ip", "link", "add", "name", cable, "type", "veth", "peer", "name", network, "netns", self.name)
            run("ip", "link", "set", cable, "master", f"br-{network}", "up")
            run("ip", "-n", self.name, "addr", "add", f"{prefix}.{10 + self.number}/24", "dev", network)
            run("ip", "-n", self.name, "link", "set", network, "up")

    def plug(self, network: str, is_in: bool) -> None:
        """Pull the cable to *network*, or put it in again: what was sent meanwhile is lost without a word."""
        run("ip", "link", "set", f"{network}{self.number}", "up" if is_in else "down")

    def command(self, *words: str) -> tuple[list[str], dict[str, str]]:
        """``nachlese WORDS`` on this machine: the command and its environment."""
        env = os.environ | self.environment | {"NACHLESE_HOME": str(self.folder), "PYTHONPATH": str(self.code)}
        if self.clock and self.library:
            env |= {"LD_PRELOAD": str(self.library), "NACHLESE_CLOCK_SHIFT": str(self.clock)}
        named = ["sh", "-c", 'hostname "$0"; exec "$@"', self.name, sys.executable, "-m", "crawler.cli", *words]
        return ["ip", "netns", "exec", self.name, "unshare", "--uts", *UNSHARE[4:], *named], env

    async def start(self, role: str, *words: str) -> None:
        """Start ``nachlese WORDS``; what it says goes to ``NAME-ROLE.log``."""
        command, env = self.command(*words)
        with (self.folder.parent / f"{self.name}-{role}.log").open("ab") as log:
            self.running[role] = await asyncio.create_subprocess_exec(
                *command, env=env, cwd=self.code, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
            )

    async def answer(self, *words: str) -> str:
        """What ``nachlese WORDS`` prints there, once it has ended."""
        command, env = self.command(*words)
        asked = await asyncio.create_subprocess_exec(
            *command, env=env, cwd=self.code, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
        )
        return (await asked.communicate())[0].decode()

    def processes(self, role: str) -> list[psutil.Process]:
        """The process of that *role* and all below it, the first one first."""
        try:
            return psutil.Process(self.running[role].pid).children(recursive=True)
        except (KeyError, psutil.Error):
            return []

    def send(self, number: signal.Signals, *, to_all: bool = True) -> None:
        """A signal to everything that runs on it, or only to what was started."""
        for role in self.running:
            for process in self.processes(role)[: None if to_all else 1]:
                try:
                    process.send_signal(number)
                except psutil.NoSuchProcess:
                    continue

    async def ended(self, *roles: str) -> list[int]:
        """Wait for the end; the exit codes."""
        return [await self.running.pop(role).wait() for role in (roles or tuple(self.running))]

    async def kill(self) -> None:
        """As when the power goes: nobody says goodbye."""
        self.send(signal.SIGKILL)
        await self.ended()
