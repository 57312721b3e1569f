"""CPU of reading and checking a manifest of 10,000 credentials, beside merely loading the same file with PyYAML.

Run it with ``python benchmarks/read.py [COUNT]``. Every figure is the median of fresh processes, start-up included;
only the ratio says anything on another machine.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

RUNS = 5
YARDSTICK = "import sys, yaml; yaml.load(open(sys.argv[1], encoding='utf-8'), Loader=yaml.CSafeLoader)"
OURS = """
import sys
from pathlib import Path
from reconciler import manifest, schema
assert len(manifest.read([Path(sys.argv[1])], schema.builtin()).credentials) == int(sys.argv[2])
assert not {"asyncio", "pydantic", "httpx", "jsonschema", "deepdiff", "rich"} & sys.modules.keys()
"""


def entry(number: int) -> str:
    """One credential of four to five keys, of the three providers in turn."""
    twilio = (
        f"    provider: twilio\n    label: Marketing {number}\n"
        f"    account_sid: AC{number:032x}\n    auth_token: env://TWILIO_{number}\n"
    )
    sinch = (
        "    provider: sinch\n    region: eu\n"
        f'    service_plan_id: "{number:032d}"\n    api_token: file://sinch-{number}\n'
    )
    infobip = (
        f"    provider: infobip\n    label: Codes {number}\n"
        f"    base_url: https://x{number}.api.infobip.com\n    api_key: env://INFOBIP_{number}\n"
    )
    return f"  credential-{number:06d}:\n" + (twilio, sinch, infobip)[number % 3]


def write(path: Path, count: int) -> None:
    """A manifest of ``count`` credentials."""
    with path.open("w", encoding="utf-8") as file:
        file.write("version: 1\nworkspace: production\ncredentials:\n")
        file.writelines(entry(number) for number in range(count))


def cpu(code: str, *arguments: str) -> float:
    """CPU seconds of one fresh process, user and system."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code, *arguments], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "credentials.yaml")
        write(path, count)
        # In turn, so that both meet the same moods of the machine.
        pairs = [(cpu(YARDSTICK, str(path)), cpu(OURS, str(path), str(count))) for _ in range(RUNS)]
    yardstick, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{count} credentials: CSafeLoader {yardstick:.3f} s, read and check {ours:.3f} s, {ours / yardstick:.2f}x")


if __name__ == "__main__":
    main()
