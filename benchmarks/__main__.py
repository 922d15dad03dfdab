"""``python -m benchmarks``: this project and its peers on the same work in one run; one JSON object a line."""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable

from benchmarks import work
from benchmarks.memory import child_pss_mib, loaded_peers
from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.limits import Limits
from service.domain.received import Intake
from service.domain.report import CodedReport
from service.formats.fhir.write import write as write_fhir
from service.formats.findings.read import read
from service.formats.sr.read import read as read_sr
from service.formats.sr.write import write as write_sr

Work = Callable[[], object]


def main() -> None:
    """Memory first, in a process that has not imported the peers; then the race."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--lesions", type=int, nargs="+", default=[10])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--memory", action="store_true", help="only the memory of one more preloaded worker")
    options = parser.parse_args()
    if options.memory:
        emit(memory(options.lesions[0]))
        return
    again = [sys.executable, "-m", "benchmarks", "--memory", "--lesions", str(options.lesions[0])]
    print(subprocess.run(again, check=True, capture_output=True, text=True).stdout, end="", flush=True)
    for lesions in options.lesions:
        race(lesions, options.rounds)


def emit(line: dict[str, object]) -> None:
    """One line of output."""
    print(json.dumps(line), flush=True)


def report_of(body: bytes) -> CodedReport:
    """Schema validation and coding."""
    return code_report(read(body, default_sender="local", limits=Limits()), vocabulary())


def convert(body: bytes) -> bytes:
    """The whole conversion: findings JSON to SR and bundle."""
    report = report_of(body)
    document = write_sr(report)
    return document.content + write_fhir(report, document.reference).content


def memory(lesions: int) -> dict[str, object]:
    """PSS of a forked worker after a thousand conversions, everything preloaded."""
    from service.app import create_app

    create_app()
    body = work.document_bytes(lesions)
    convert(body)
    pss = child_pss_mib(lambda: convert(body), 1000)
    return {
        "memory": "one more preloaded worker",
        "pss_mib": round(pss, 1),
        "peers_imported": loaded_peers(sys.modules),
    }


def race(lesions: int, rounds: int) -> None:
    """Time ourselves and the peers on the same lesions, once their content is found to be the same."""
    from benchmarks import measure, peers

    body = work.document_bytes(lesions)
    report = report_of(body)
    images = peers.images()
    document = write_sr(report)
    bundle = peers.as_dict(write_fhir(report, document.reference).content)
    assert_same(document.content, peers.write_sr(report, images), bundle, peers.as_dict(peers.write_fhir(bundle)))
    contestants: dict[str, Work] = {
        "findings JSON to SR and FHIR": lambda: convert(body),
        "read and validate findings": lambda: read(body, default_sender="local", limits=Limits()),
        "SR": lambda: write_sr(report),
        "FHIR": lambda: write_fhir(report, document.reference),
        "SR by highdicom": lambda: peers.write_sr(report, images),
        "read SR": lambda: read_sr(document.content, Intake()),
        "read SR by highdicom, every group": lambda: peers.read_sr(document.content),
        "FHIR by fhir.resources": lambda: peers.write_fhir(bundle),
        "SR by highdicom and FHIR by fhir.resources": lambda: (
            peers.write_sr(report, images),
            peers.write_fhir(bundle),
        ),
    }
    timings = measure.interleaved(contestants, rounds)
    about = {"lesions": lesions, **measure.machine()}
    for timing in timings.values():
        emit({**timing.line(), **about})
    for slow, quick in (
        ("SR by highdicom and FHIR by fhir.resources", "findings JSON to SR and FHIR"),
        ("SR by highdicom", "SR"),
        ("FHIR by fhir.resources", "FHIR"),
        ("read SR by highdicom, every group", "read SR"),
    ):
        emit({**measure.ratio(timings[slow], timings[quick]), "lesions": lesions})


def assert_same(ours: bytes, theirs: bytes, our_bundle: dict[str, object], their_bundle: dict[str, object]) -> None:
    """Stop unless highdicom reads the same lesions from both SRs, and both bundles hold as many resources."""
    from benchmarks import peers

    if peers.lesions_of_sr(ours) != peers.lesions_of_sr(theirs):
        raise SystemExit("the two SRs do not say the same: nothing was timed")
    if len(our_bundle["entry"]) != len(their_bundle["entry"]):  # type: ignore[arg-type] # lists of a Bundle
        raise SystemExit("the two bundles do not say the same: nothing was timed")


if __name__ == "__main__":
    main()
