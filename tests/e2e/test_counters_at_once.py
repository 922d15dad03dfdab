"""What all workers of one service have counted, when they end in the same moment."""

import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.test_counters import ASKED, PATIENCE_S, ask, counted, workers
from tests.e2e.test_service import serving

AT_ONCE = 4
TURNS = 2


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_that_was_counted_is_lost_or_doubled_when_all_workers_end_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: signal.Signals
) -> None:
    (tmp_path / "of-the-service").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "of-the-service"))
    with serving(tmp_path, workers=str(AT_ONCE), deliver_inside="false") as service:
        for turn in range(1, TURNS + 1):
            ask(service, ASKED)
            found = counted(service)
            assert (found["answered"], found["timed"], found["read"]) == (turn * ASKED,) * 3
            end = time.monotonic() + PATIENCE_S
            while len(there := workers(service)) != AT_ONCE:
                assert time.monotonic() < end, "they have not all begun"
                time.sleep(0.05)
            subprocess.run(["kill", f"-{how.value}", *map(str, there)], check=True)
            end = time.monotonic() + PATIENCE_S
            while len(now := workers(service)) != AT_ONCE or set(now) & set(there):
                assert time.monotonic() < end, "no others came"
                time.sleep(0.05)
            assert counted(service) == found, "to the last digit of the seconds"
        names = [path.name for path in tmp_path.glob("of-the-service/lesionbridge-*/*")]
        processes = {int(name.partition("_")[2].removesuffix(".db")) for name in names if "_" in name}
        assert processes <= {service.process.pid, *workers(service)}, "all that ended are in one file"
