# SPDX-License-Identifier: Apache-2.0
"""Runs the measuring programs, natively or under callgrind, and reads what they say."""

import math
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
LIMIT_S = 240


class Skipped(Exception):
    """A program could not measure here; the text says why."""


class Failed(Exception):
    """A program ended badly."""


class Figures:
    """What one run has said: `value` from its output, `instructions` of its counted regions."""

    def __init__(self, output, instructions):
        self.values = {}
        for line in output.splitlines():
            name, _, value = line.partition(" ")
            try:
                self.values[name] = float(value)
            except ValueError:
                pass
        self.regions = instructions

    def value(self, name):
        return self.values[name]

    def instructions(self, region):
        return self.regions[region]

    def series(self, name):
        """Points (n, instructions) of the regions name.n."""
        found = [(int(region[len(name) + 1:]), count) for region, count in self.regions.items()
                 if region.startswith(name + ".")]
        return sorted(found)


class Programs:
    """Each program runs once with the same arguments, whatever rows ask for it."""

    def __init__(self, build, source):
        self.bin = os.path.join(build, "bin")
        self.with_vcan = os.path.join(source, "tests", "vcan", "with-vcan")
        self.done = {}
        self.folder = tempfile.TemporaryDirectory(prefix="wayseal-bench-")

    def run(self, program, *arguments, callgrind=False, vcan=None):
        """vcan: arguments for with-vcan; None runs it right here."""
        key = (program, arguments, callgrind)
        if key not in self.done:
            try:
                self.done[key] = self._run(program, arguments, callgrind, vcan)
            except (Skipped, Failed) as outcome:
                self.done[key] = outcome
        result = self.done[key]
        if isinstance(result, Exception):
            raise result
        return result

    def _run(self, program, arguments, callgrind, vcan):
        path = os.path.join(self.bin, "bench_" + program)
        if not os.access(path, os.X_OK):
            raise Skipped(f"bench_{program} is not built")
        if callgrind and not shutil.which("valgrind"):
            raise Skipped("valgrind is not installed")
        counts = tempfile.mkdtemp(dir=self.folder.name)
        command = [path, *arguments]
        if callgrind:
            command = ["valgrind", "--quiet", "--tool=callgrind", "--instr-atstart=no",
                       f"--callgrind-out-file={counts}/out", *command]
        if vcan is not None:
            command = [self.with_vcan, *vcan, "--", *command]
        print("bench:", shlex.join([*(["callgrind"] if callgrind else []), "bench_" + program, *arguments]),
              file=sys.stderr, flush=True)
        output = self._call(command, program)
        return Figures(output, self._read_counts(counts))

    @staticmethod
    def _call(command, program):
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  stdin=subprocess.DEVNULL, timeout=LIMIT_S, check=False)
        except subprocess.TimeoutExpired:
            raise Failed(f"bench_{program}: not done after {LIMIT_S} s") from None
        words = [line for line in done.stderr.splitlines() if line and not line.startswith("==")]
        reason = words[-1] if words else f"exit code {done.returncode}"
        if done.returncode == SKIPPED or (done.returncode == 125 and "with-vcan" in command[0]):
            raise Skipped(reason)
        if done.returncode != 0:
            raise Failed(f"bench_{program}: {reason}")
        return done.stdout

    @staticmethod
    def _read_counts(folder):
        """One file a dump: the region's name is its trigger, the sum its only total."""
        counts = {}
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                text = file.read()
            trigger = re.search(r"^desc: Trigger: Client Request: (.*)$", text, re.M)
            total = re.search(r"^totals: (\d+)", text, re.M)
            if trigger and total:
                counts[trigger.group(1)] = int(total.group(1))
        return counts


def slope(points):
    """Exponent of growth: least squares on the logarithms."""
    xs = [math.log(n) for n, _ in points]
    ys = [math.log(cost) for _, cost in points]
    x_mean, y_mean = sum(xs) / len(xs), sum(ys) / len(ys)
    return (sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys)) /
            sum((x - x_mean) ** 2 for x in xs))


def exponent(points):
    """The larger one of all points and of the last three: a fixed cost flattens the beginning."""
    if len(points) < 4:
        raise Failed("too few points")
    return max(slope(points), slope(points[-3:]))
