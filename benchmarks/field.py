"""The field of a race: every peer on the same lesions, and the proof that they say the same."""

import json
import os
import shutil
from pathlib import Path

import pydicom

from benchmarks import by_hand, compiled_beside, peers, programs, work
from benchmarks.measure import Beside, Contestant, Here
from benchmarks.ours import convert, report_of
from service.formats.fhir.write import write as write_fhir
from service.formats.sr.write import write as write_sr

ORACLES = Path(os.environ.get("LESIONBRIDGE_ORACLES", "~/.cache/lesionbridge-oracles")).expanduser()
"""Where ``make oracles`` installs."""
PEERS = "SR by highdicom and FHIR by fhir.resources"
_HERE = Path(__file__).parent


class Field:
    """The peers that are installed, each ready to do its work."""

    def __init__(self, folder: Path, lesions: int) -> None:
        """Write what the programs read, and start what stays."""
        self.folder, self.lesions = folder, lesions
        self.body = work.document_bytes(lesions)
        self.report = report_of(self.body)
        document = write_sr(self.report)
        self.ours = document.content
        self.bundle = write_fhir(self.report, document.reference).content
        self.images = peers.images()
        self._by_hand = by_hand.plain(self.ours)
        self.versions: dict[str, object] = {}
        (folder / "ours.dcm").write_bytes(self.ours)
        (folder / "ours.json").write_bytes(self.bundle)
        drawn = report_of(work.document_bytes(lesions, axes=True))
        (folder / "viewer.dcm").write_bytes(write_sr(drawn, dialect="ohif").content)
        programs.prepare(folder, self.report, self.images[0])
        self._node = self._started("node", self._in_node())
        self._fhirkit = self._started(
            "fhirkit-rs",
            [ORACLES / "fhir_validators/bin/python", _HERE / "fhirkit_beside.py", folder / "ours.json"],
        )
        self._dcmqi = ORACLES / "dcmqi/bin"
        self._compiled = compiled_beside.start(lesions) if compiled_beside.is_current() else None

    def _in_node(self) -> list[str | Path]:
        """The script from its text: modules are looked for from the folder that it runs in."""
        node = shutil.which("node") or "node"
        script = (_HERE / "node_beside.mjs").read_text()
        return [node, "--input-type=module", "-e", script, self.folder / "ours.dcm", self.folder / "viewer.dcm"]

    def _started(self, name: str, command: list[str | Path]) -> Beside | None:
        where = ORACLES / ("node" if name == "node" else "fhir_validators")
        if not where.is_dir() or (name == "node" and shutil.which("node") is None):
            return None
        beside = Beside([str(word) for word in command], where)
        self.versions |= {key: value for key, value in beside.about.items() if key not in ("annotations", "entries")}
        return beside

    def missing(self) -> list[str]:
        """The peers that are not installed."""
        found = {
            "the compiled build of these sources (make compiled)": self._compiled,
            "dcmjs and the Cornerstone adapters": self._node,
            "fhirkit-rs": self._fhirkit,
        }
        return [name for name, peer in found.items() if peer is None] + ([] if self._dcmqi.is_dir() else ["dcmqi"])

    def assert_same(self) -> None:
        """Stop unless every peer says the same lesions with the same numbers, answers and outlines."""
        same = peers.lesions_of_sr(self.ours)
        _hold(len(same) == self.lesions, "our SR")
        _hold(peers.lesions_of_sr(peers.write_sr(self.report, self.images)) == same, "highdicom's SR")
        _hold(by_hand.plain(by_hand.write(self._by_hand)) == self._by_hand, "the SR by hand")
        ours = json.loads(self.bundle)
        theirs = json.loads(peers.write_fhir(ours))
        _hold(_counted(theirs) == _counted(ours), "the bundle by fhir.resources")
        if self._compiled is not None:
            _hold(self._compiled.about["build"] == compiled_beside.NAME, "the compiled build")
            _hold(self._compiled.about["made"] == compiled_beside.digest(convert(self.body)), "the compiled build")
        if self._node is not None:
            _hold(peers.lesions_of_sr((self.folder / "ours.dcm.dcmjs").read_bytes()) == same, "dcmjs' SR")
            _hold(self._node.about["annotations"] == self.lesions, "what the Cornerstone adapters read")
        if self._fhirkit is not None:
            _hold(self._fhirkit.about["entries"] == len(ours["entry"]), "what fhirkit-rs reads")
        if self._dcmqi.is_dir():
            programs.writer(self.folder, self._dcmqi).seconds(1)
            programs.reader(self.folder, self._dcmqi).seconds(1)
            _hold(_numbers(self.folder / "dcmqi.dcm") == _numbers(self.folder / "ours.dcm"), "dcmqi's SR")
            read = json.loads((self.folder / "dcmqi-read.json").read_text())["Measurements"]
            _hold(sum(len(group["measurementItems"]) for group in read) == 3 * self.lesions, "what dcmqi reads")

    def contestants(self) -> dict[str, Contestant]:
        """The peers by what they do."""
        ours = json.loads(self.bundle)
        found: dict[str, Contestant] = {}
        if self._compiled is not None:
            found |= {compiled_beside.named(name): self._compiled.work(name) for name in compiled_beside.WORKS}
        found |= {
            PEERS: Here(lambda: (peers.write_sr(self.report, self.images), peers.write_fhir(ours))),
            "write SR: highdicom": Here(lambda: peers.write_sr(self.report, self.images)),
            "write SR: pydicom by hand": Here(lambda: by_hand.write(self._by_hand)),
            "read SR: highdicom": Here(lambda: peers.read_sr(self.ours)),
            "read SR: pydicom, every element": Here(lambda: by_hand.read(self.ours)),
            "write FHIR: fhir.resources": Here(lambda: peers.write_fhir(ours)),
            "read FHIR: fhir.resources": Here(lambda: peers.read_fhir(self.bundle)),
        }
        if self._node is not None:
            found["write SR: dcmjs"] = self._node.work("write")
            found["read SR: dcmjs"] = self._node.work("read")
            found["read SR: Cornerstone adapters"] = self._node.work("hydrate")
        if self._fhirkit is not None:
            found["write FHIR: fhirkit-rs"] = self._fhirkit.work("write")
            found["read FHIR: fhirkit-rs"] = self._fhirkit.work("read")
        if self._dcmqi.is_dir():
            found["write SR: dcmqi tid1500writer"] = programs.writer(self.folder, self._dcmqi)
            found["read SR: dcmqi tid1500reader"] = programs.reader(self.folder, self._dcmqi)
        return found

    def close(self) -> None:
        """End what was started."""
        for beside in (self._node, self._fhirkit, self._compiled):
            if beside is not None:
                beside.close()


def _hold(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"{what} does not say the same: nothing was timed")


def _counted(bundle: object) -> list[tuple[str, int]]:
    """The types of a bundle's resources and how many members each resource has."""
    assert isinstance(bundle, dict)
    return [(entry["resource"]["resourceType"], len(entry["resource"])) for entry in bundle["entry"]]


def _numbers(path: Path) -> list[tuple[str, float]]:
    """The measurements of an SR as pydicom finds them, in order: concept and value."""
    found = []
    for element in pydicom.dcmread(path).iterall():
        if element.keyword == "ContentSequence":
            found += [
                (item.ConceptNameCodeSequence[0].CodeValue, float(item.MeasuredValueSequence[0].NumericValue))
                for item in element.value
                if item.ValueType == "NUM"
            ]
    return found
