"""Whose CPU time is counted, over which events."""

import json
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).parents[1]))

import measure_dispatch
from measure_dispatch import Processes, document, measured


class Counting(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name).resolve()
        self.spent = {}
        patch = mock.patch.object(measure_dispatch, "cpu_ms", lambda process: self.spent[process])
        patch.start()
        self.addCleanup(patch.stop)

    def process(self, number: int, function: str, executable: str, cpu_ms: float):
        here = self.root / "proc" / str(number)
        here.mkdir(parents=True)
        (here / "environ").write_bytes(f"A=b\0AWS_LAMBDA_FUNCTION_NAME={function}\0".encode())
        (here / "exe").symlink_to(self.root / executable)
        (here / "cwd").symlink_to("/")
        self.spent[number] = cpu_ms

    def test_only_the_function_of_this_emulator_counts(self):
        self.process(1, "foreshard-dispatch", "state/a/bootstrap", 1.0)
        self.process(2, "foreshard-dispatch", "state/b/bootstrap", 2.0)
        self.process(3, "foreshard-execute-128", "state/c/bootstrap", 4.0)
        self.process(4, "foreshard-dispatch", "elsewhere/bootstrap", 8.0)
        processes = Processes("foreshard-dispatch", self.root / "state", self.root / "proc")
        self.assertEqual(processes.look(), 3.0)

    def test_what_has_ended_counts_as_it_was_last_seen(self):
        self.process(1, "foreshard-dispatch", "state/a/bootstrap", 1.0)
        processes = Processes("foreshard-dispatch", self.root / "state", self.root / "proc")
        processes.look()
        (self.root / "proc" / "1" / "environ").unlink()
        self.process(2, "foreshard-dispatch", "state/b/bootstrap", 2.0)
        self.assertEqual(processes.look(), 3.0)

    def test_events_after_the_warm_ones_count(self):
        emulator = Recorded(self.root, [0, 10, 12, 20, 31])
        looks = iter([5.0, 5.0, 50.0, 55.0, 60.0, 62.0, 80.0, 82.0, 90.0, 92.0])
        with mock.patch.object(Processes, "look", lambda _: next(looks)), mock.patch("time.sleep"):
            found = measured(emulator, shards=200, warm=10, events=20)
        self.assertEqual((found["events"], found["cpu_ms_per_event"]), (21, 2.0))
        self.assertEqual(emulator.commands, ["run", "cancel"])


class Recorded:
    """An emulator that says what it was recorded to say."""

    def __init__(self, state: Path, settled: list[int]):
        self.state, self.waiting, self.commands = state, iter(settled), []

    def call(self, *words: str) -> str:
        self.commands.append(words[0])
        return json.dumps({"run": "r-1"})

    def settled(self, _run: str) -> int:
        return next(self.waiting)


class Asking(unittest.TestCase):
    def test_there_is_always_a_level_to_claim_from(self):
        tasks = document(250)["tasks"]
        self.assertEqual(len(tasks), 250)
        self.assertNotIn("needs", tasks[99])
        self.assertEqual(tasks[100]["needs"], ["t0"])
        self.assertEqual(tasks[249]["needs"], ["t149"])


if __name__ == "__main__":
    unittest.main()
