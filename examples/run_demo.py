"""Send every report of this folder through a service of its own, over REST; write the outputs to out/.

Starts `lesionbridge serve` on a free port of the loopback interface with an SQLite database in a temporary folder, and
stops it at the end. Ends with 0 when every report went through, with 1 when one did not.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests

HERE = Path(__file__).resolve().parent
OUT = HERE.parent / "out"
SUFFIXES = {"fhir": ".fhir.json", "sr": ".dcm", "html": ".html"}
TIMEOUT_S = 60


@contextmanager
def service() -> Iterator[str]:
    """The address of a running service; it ends with the block, however that ends."""
    with TemporaryDirectory(prefix="lesionbridge-demo-") as folder:
        environment = {name: text for name, text in os.environ.items() if not name.startswith("LESIONBRIDGE_")}
        environment["LESIONBRIDGE_DATABASE_URL"] = f"sqlite:///{folder}/demo.sqlite3"
        environment["LESIONBRIDGE_LOG_LEVEL"] = "error"
        command = [sys.executable, "-m", "service.cli", "serve", "--host", "127.0.0.1", "--port", "0", "--workers", "1"]
        # A session of its own: Ctrl-C in the terminal reaches this program only, which then stops the service in order.
        process = subprocess.Popen(
            command, env=environment, cwd=HERE.parent, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        try:
            yield _address(process)
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _address(process: "subprocess.Popen[str]") -> str:
    """Where the service says that it listens."""
    for line in process.stdout or ():
        found = re.search(r"http://\S+", line)
        if found:
            return found[0]
    raise SystemExit("the service did not start; it said why above")


def send(address: str, path: Path) -> bool:
    """Send one report, fetch its outputs, print its line; False when it was refused."""
    # As bytes: read and written again, 12.50 would become 12.5.
    headers = {"Content-Type": "application/vnd.lesionbridge.findings+json"}
    answer = requests.post(
        f"{address}/v1/reports?check=full", data=path.read_bytes(), headers=headers, timeout=TIMEOUT_S
    )
    if not answer.ok:
        print(f"{path.name}: refused ({answer.status_code})")
        for problem in answer.json().get("errors", ()):
            print(f"  {problem['pointer'] or '(whole document)'}: {problem['detail']} [{problem['rule']}]")
        return False
    receipt = answer.json()
    for role, suffix in SUFFIXES.items():
        output = requests.get(f"{address}{receipt['links'][role]}", timeout=TIMEOUT_S)
        output.raise_for_status()
        (OUT / f"{path.stem}{suffix}").write_bytes(output.content)
    print(line(path.stem, receipt))
    return True


def line(name: str, receipt: dict[str, Any]) -> str:
    """What is said of a report: lesions, codes, checks, files."""
    lesions, coded, left = receipt["lesions"], receipt["coded"], len(receipt["uncoded"])
    codes = sum(len(item["codes"]) for item in coded)
    return (
        f"{name}: {lesions} lesion{'' if lesions == 1 else 's'}, {codes} codes for {len(coded)} terms"
        f"{f', {left} left as text' if left else ''}, passed {', '.join(receipt['checks']) or 'no check'}, "
        f"out/{name}.{{{','.join(suffix.lstrip('.') for suffix in SUFFIXES.values())}}}"
    )


def main() -> int:
    """Send them all."""
    paths = sorted(path for path in HERE.glob("*.json") if "report" in json.loads(path.read_bytes()))
    if not paths:
        print("there is no report in examples/")
        return 1
    OUT.mkdir(exist_ok=True)
    with service() as address:
        sent = [send(address, path) for path in paths]
    print(f"{sum(sent)} of {len(sent)} reports went through; what came out is in {OUT.name}/")
    return 0 if all(sent) else 1


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        print("stopped")
        raise SystemExit(130) from None
