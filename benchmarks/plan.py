"""CPU of a plan without changes over 10,000 stored credentials, beside merely loading the same YAML file with PyYAML.

Run it with ``python benchmarks/plan.py [COUNT]``: it applies the manifest to a sandbox store first. Every figure is the
median of fresh processes in turn, start-up included; only the ratio says anything on another machine.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

RUNS = 5
YARDSTICK = "import sys, yaml; yaml.load(open(sys.argv[1], encoding='utf-8'), Loader=yaml.CSafeLoader)"


def entry(number: int) -> str:
    """One credential of four keys; the sandbox accepts every account whose SID ends in 0000."""
    return (
        f"  credential-{number:06d}:\n    provider: twilio\n    label: Marketing {number}\n"
        f"    account_sid: AC{number:028d}0000\n    auth_token: env://TWILIO_{number}\n"
    )


def cpu(command: list[str], folder: Path, env: dict[str, str]) -> float:
    """CPU seconds of one fresh process, user and system."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def prepare(folder: Path, count: int) -> dict[str, str]:
    """A manifest, the sandbox's secrets for it in the environment, and a store that holds all of it."""
    entries = "".join(entry(number) for number in range(count))
    (folder / "credentials.yaml").write_text(f"version: 1\nworkspace: production\ncredentials:\n{entries}")
    env = {**os.environ, "HOME": str(folder)}
    secrets = subprocess.run(
        [sys.executable, "-m", "reconciler", "sandbox", "env"], check=True, cwd=folder, env=env, capture_output=True,
        text=True,
    ).stdout  # fmt: skip
    env |= dict(line.removeprefix("export ").split("=", 1) for line in secrets.splitlines())
    apply = [sys.executable, "-m", "reconciler", "apply", "--sandbox", "--yes", "--parallelism", "64"]
    subprocess.run(apply, check=True, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return env


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        env = prepare(folder, count)
        plan = [sys.executable, "-m", "reconciler", "plan", "--sandbox", "--detailed-exitcode"]
        load = [sys.executable, "-c", YARDSTICK, "credentials.yaml"]
        pairs = [(cpu(plan, folder, env), cpu(load, folder, env)) for _ in range(RUNS + 1)][1:]
    ours, floor = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"{count} credentials: plan without changes {ours:.3f} s, CSafeLoader {floor:.3f} s, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
