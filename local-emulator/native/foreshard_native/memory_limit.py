"""Makes MemorySize hold: what uses more is killed as the microVM's kernel would do it.

An environment is looked at the more often, the less it has left; one that serves no invocation is not looked at.
"""

import sys
import threading
import time

from foreshard_native import process_table
from foreshard_native.process_group import kill_members, signal_process

LOOK_S_MIN = 0.025
LOOK_S_MAX = 0.25
# Faster than one process can touch new pages; the time to the next look follows from what is left.
GROWTH_BYTES_PER_S = 8e9
# A full look at every process catches an id that was used again between two looks.
_FULL_LOOK_S = 1.0


class Watched:
    """One environment during one invocation."""

    def __init__(self, leader: int, limit_bytes: int):
        self.leader = leader
        self.limit_bytes = limit_bytes
        self.members = {leader}
        self.killed: set[int] = set()
        self.peak_bytes = 0
        self.next_look = 0.0

    def look(self, now: float) -> None:
        """Count, kill one process if it is too much, and decide when to look again."""
        self.killed = {pid for pid in self.killed if process_table.read(pid) is not None}
        living = self.members - self.killed
        used = sum(map(process_table.resident_bytes, living))
        if used > self.limit_bytes:
            held = {pid: process_table.anonymous_bytes(pid) for pid in living}
            used = sum(held.values())
            if used > self.limit_bytes:
                self._kill_one(held)
        self.peak_bytes = max(self.peak_bytes, min(used, self.limit_bytes))
        left_s = (self.limit_bytes - used) / GROWTH_BYTES_PER_S
        self.next_look = now + min(max(left_s, LOOK_S_MIN), LOOK_S_MAX)

    def _kill_one(self, held: dict[int, int]) -> None:
        victim = max(held, key=lambda pid: (process_table.oom_score_adjustment(pid), held[pid]))
        if victim == self.leader:
            kill_members(victim)  # without its bootstrap an environment is worth nothing
        else:
            signal_process(victim)
        self.killed.add(victim)


class MemoryLimit:
    """One thread for all environments; it sleeps while none serves an invocation."""

    def __init__(self):
        self._watched: set[Watched] = set()
        self._changed = threading.Condition()
        self._leaders: set[int] = set()
        self._leader_of: dict[int, int] = {}
        self._full_look = 0.0
        self._next_tick = float("inf")
        self._thread: threading.Thread | None = None

    def watch(self, leader: int, limit_bytes: int) -> Watched:
        """Begin to enforce the limit on the session of `leader`."""
        watched = Watched(leader, limit_bytes)
        if not process_table.AVAILABLE:
            self._say_once()
            return watched
        watched.next_look = time.monotonic() + LOOK_S_MIN
        with self._changed:
            self._watched.add(watched)
            self._leaders.add(leader)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="memory-limit", daemon=True)
                self._thread.start()
            if watched.next_look < self._next_tick:
                self._next_tick = watched.next_look
                self._changed.notify()
        return watched

    def unwatch(self, watched: Watched) -> None:
        """The invocation is over; the peak is that of the environment's life, as AWS reports it."""
        with self._changed:
            self._watched.discard(watched)
        if process_table.AVAILABLE:
            peaks = sum(map(process_table.peak_bytes, watched.members))
            watched.peak_bytes = max(watched.peak_bytes, min(peaks, watched.limit_bytes))

    def _say_once(self) -> None:
        if self._thread is None:
            self._thread = threading.current_thread()
            print("foreshard: this system has no /proc, so MemorySize is not enforced", file=sys.stderr)

    def _run(self) -> None:
        while True:
            with self._changed:
                while (pause := self._next_tick - time.monotonic()) > 0:
                    self._changed.wait(None if pause == float("inf") else pause)
                watched = list(self._watched)
            self._find_members(watched)
            self._look(watched)
            with self._changed:
                self._next_tick = min((one.next_look for one in self._watched), default=float("inf"))

    def _look(self, watched: list[Watched]) -> None:
        for one in watched:
            with self._changed:
                # After its invocation an environment may be dead, and its ids may be someone else's.
                if one in self._watched and one.next_look <= time.monotonic():
                    one.look(time.monotonic())

    def _find_members(self, watched: list[Watched]) -> None:
        """Give each process to its environment; only processes that appeared since the last tick are read."""
        pids = process_table.pids()
        if time.monotonic() >= self._full_look:
            self._full_look = time.monotonic() + _FULL_LOOK_S
            self._leader_of.clear()
        with self._changed:
            self._leaders &= {*pids, *(one.leader for one in self._watched)}
        leader_of, found = {}, {one.leader: {one.leader} for one in watched}
        for pid in pids:
            leader = self._leader_of.get(pid) or self._read_leader(pid, leader_of)
            leader_of[pid] = leader
            if leader in found:
                found[leader].add(pid)
        self._leader_of = leader_of
        for one in watched:
            one.members = found[one.leader]

    def _read_leader(self, pid: int, leader_of: dict[int, int]) -> int:
        """The leader of its session; for one that left the session of an environment, that environment."""
        process = process_table.read(pid)
        if process is None:
            return -1
        above = leader_of.get(process.parent, -1)
        return above if process.session not in self._leaders and above in self._leaders else process.session
