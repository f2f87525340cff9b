"""The function's processes, found by their connections and killed. Linux: everything stands in /proc."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

# Killing faster than processes start would leave nothing that works.
KILL_GAP_SECONDS = 1.5


class Processes:
    """The function's processes: children of the emulator."""

    def __init__(self, emulator: int) -> None:
        self.emulator = emulator
        self.last_kill = 0.0

    def may_kill(self) -> bool:
        """Whether the last kill is long enough ago."""
        return time.monotonic() - self.last_kill >= KILL_GAP_SECONDS

    def kill(self, client_port: int, own_port: int) -> list[int]:
        """Kills the one that holds a connection; the ports of all its connections to the proxy, or none when it is not found."""
        ports = connections(own_port)
        inode = next((inode for inode, port in ports.items() if port == client_port), None)
        for pid in children(self.emulator):
            held = sockets(pid)
            if inode in held:
                os.kill(pid, signal.SIGKILL)
                self.last_kill = time.monotonic()
                return [port for each, port in ports.items() if each in held]
        return []


def connections(remote_port: int) -> dict[str, int]:
    """Sockets that are connected with a loopback port: inode and own port."""
    found = {}
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        columns = line.split()
        if columns[2].endswith(f":{remote_port:04X}"):
            found[columns[9]] = int(columns[1].rpartition(":")[2], 16)
    return found


def children(parent: int) -> list[int]:
    """Processes that a process has started, and no others."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "stat").read_text()
            except OSError:
                continue
            # The name before may hold anything, but no parenthesis after its last one.
            if int(status.rpartition(")")[2].split()[1]) == parent:
                found.append(int(entry.name))
    return found


def sockets(pid: int) -> set[str]:
    """Inodes of a process's sockets."""
    found = set()
    for name in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(name)
        except OSError:
            continue
        if target.startswith("socket:["):
            found.add(target[8:-1])
    return found
