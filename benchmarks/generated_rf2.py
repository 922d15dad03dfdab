"""A SNOMED CT release that nobody licensed: RF2 packages of true size and shape, every word and id made up here.

Ids have their partition and check digit; the hierarchy is deep and has several parents; there are synonyms, two
language reference sets, inactive concepts with their associations, attributes in groups, concrete values and reference
sets.
"""

import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from service.coding.releases import layouts


def _listed(names: str) -> tuple[str, ...]:
    """Names with commas between."""
    return tuple(names.split(","))


HIERARCHIES = (
    ("Body structure", "body structure", 12),
    ("Clinical finding", "finding", 12),
    ("Disease", "disorder", 24),
    ("Morphologic abnormality", "morphologic abnormality", 6),
    ("Procedure", "procedure", 18),
    ("Substance", "substance", 8),
    ("Organism", "organism", 9),
    ("Pharmaceutical product", "product", 7),
    ("Qualifier value", "qualifier value", 4),
)
"""Names, semantic tags and shares (of 100) of the hierarchies under the root."""
SITES = _listed(
    "brain,frontal lobe,parietal lobe,temporal lobe,occipital lobe,cerebellum,brainstem,pons,thalamus,skull,vertebra,"
    "sacrum,pelvis,ilium,femur,tibia,humerus,rib,sternum,scapula,liver,lung,kidney,adrenal gland,breast,prostate,"
    "colon,lymph node,spinal cord,meninges,orbit,corpus callosum,basal ganglia,hippocampus,clavicle,radius,ulna,"
    "fibula,patella,mandible,thyroid gland,pancreas,spleen,bladder,ovary,uterus,esophagus,stomach,heart,aorta"
)
CHANGES = _listed(
    "metastasis,neoplasm,hemorrhage,infarction,edema,fracture,abscess,cyst,calcification,necrosis,inflammation,"
    "stenosis,thrombosis,atrophy,hypertrophy,fibrosis,malformation,injury,swelling,mass,lesion,nodule,ulcer,rupture"
)
MANNERS = _listed(
    "acute,chronic,left,right,bilateral,congenital,acquired,primary,secondary,malignant,benign,recurrent,residual,"
    "diffuse,focal,multiple,solitary,postoperative,traumatic,hereditary,severe,mild,partial,complete,superficial,deep"
)
_SYLLABLES = _listed(
    "ba,be,ca,co,da,de,fe,ga,hi,ka,la,le,lo,ma,mi,mo,na,ne,no,pa,pe,ra,re,ri,ro,sa,se,ta,te,ti,to,va,vi,xa,zo"
)
_FIXED = {
    layouts.IS_A: "Is a (attribute)",
    layouts.FULLY_SPECIFIED: "Fully specified name (core metadata concept)",
    layouts.SYNONYM: "Synonym (core metadata concept)",
    layouts.PREFERRED: "Preferred (foundation metadata concept)",
    layouts.ACCEPTABLE: "Acceptable (foundation metadata concept)",
    "900000000000509007": "US English (foundation metadata concept)",
    "900000000000508004": "GB English (foundation metadata concept)",
    "900000000000527005": "SAME AS association reference set (foundation metadata concept)",
}
_TURN = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def _tables() -> tuple[list[list[int]], list[list[int]], list[int]]:
    """Verhoeff's group D5 from its definition, the permutations, and the inverses."""
    group = [[(a + b) % 5 if b < 5 and a < 5 else 0 for b in range(10)] for a in range(10)]
    for a in range(10):
        for b in range(10):
            turn, flip = (b % 5, b >= 5)
            if a < 5:
                group[a][b] = (a + turn) % 5 + 5 * flip
            else:
                group[a][b] = (a - 5 - turn) % 5 + 5 * (not flip)
    places = [list(range(10))]
    for _ in range(7):
        places.append([_TURN[digit] for digit in places[-1]])
    return group, places, [next(b for b in range(10) if group[a][b] == 0) for a in range(10)]


_GROUP, _PLACES, _INVERSE = _tables()


def sctid(item: int, partition: str, namespace: str = "") -> str:
    """An id of a component: item, namespace, partition, Verhoeff check digit (RF2 6.2)."""
    digits = f"{item}{namespace}{partition}"
    check = 0
    for place, digit in enumerate(reversed(digits), 1):
        check = _GROUP[check][_PLACES[place % 8][ord(digit) - 48]]
    return f"{digits}{_INVERSE[check]}"


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a release is; the defaults are those of an international edition with its US terms."""

    concepts: int = 360_000
    descriptions: int = 1_500_000
    relationships: int = 3_000_000
    date: str = "20260701"
    seed: int = 1
    inactive: float = 0.08
    line_end: str = "\r\n"


@dataclass(slots=True)
class Made:
    """What tests need to know of a release: its concepts, who is above whom, names and where the old ones went."""

    codes: list[str] = field(default_factory=list)
    parents: list[list[int]] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    active: list[bool] = field(default_factory=list)
    old: dict[str, tuple[str, str]] = field(default_factory=dict)
    refsets: dict[str, list[str]] = field(default_factory=dict)


def write(path: Path, shape: Shape, *, leave_out: Sequence[str] = ()) -> Made:
    """A package with a snapshot; ``leave_out`` names files that are missing."""
    random = Random(shape.seed)
    made = _concepts(shape, random)
    place, root = f"INT_{shape.date}", f"SnomedCT_GeneratedRF2_{shape.date}T120000Z/Snapshot"
    terminology, refset = f"{root}/Terminology", f"{root}/Refset"
    said = list(_descriptions(made, shape, random))
    files = {
        f"{terminology}/sct2_Concept_Snapshot_{place}.txt": (layouts.CONCEPT, _concept_rows(made, shape)),
        f"{terminology}/sct2_Description_Snapshot-en_{place}.txt": (layouts.DESCRIPTION, said),
        f"{terminology}/sct2_TextDefinition_Snapshot-en_{place}.txt": (layouts.DESCRIPTION, _definitions(made, shape)),
        f"{terminology}/sct2_Relationship_Snapshot_{place}.txt": (
            layouts.RELATIONSHIP,
            _relationships(made, shape, random),
        ),
        f"{terminology}/sct2_RelationshipConcreteValues_Snapshot_{place}.txt": (layouts.CONCRETE, _values(made, shape)),
        f"{refset}/Language/der2_cRefset_LanguageSnapshot-en_{place}.txt": (layouts.LANGUAGE, _language(said, shape)),
        f"{refset}/Content/der2_cRefset_AssociationSnapshot_{place}.txt": (
            layouts.ASSOCIATION,
            _associations(made, shape, random),
        ),
        f"{refset}/Content/der2_Refset_SimpleSnapshot_{place}.txt": (layouts.SIMPLE, _simple(made, shape, random)),
        f"{refset}/Metadata/der2_ssRefset_ModuleDependencySnapshot_{place}.txt": (
            layouts.MODULE_DEPENDENCY,
            [_module(shape)],
        ),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, (columns, rows) in files.items():
            if not any(part in name for part in leave_out):
                with (
                    archive.open(name, "w", force_zip64=True) as raw,
                    io.TextIOWrapper(raw, "utf-8", newline="") as text,
                ):
                    text.write("\t".join(columns) + shape.line_end)
                    text.writelines("\t".join(row) + shape.line_end for row in rows)
    return made


def _concepts(shape: Shape, random: Random) -> Made:
    """The root, what the layout needs, and the hierarchies, each concept below one or more that came before it."""
    made = Made()

    def add(code: str, parents: list[int], tag: str, name: str) -> int:
        made.codes.append(code)
        made.parents.append(parents)
        made.tags.append(tag)
        made.names.append(name)
        made.active.append(True)
        return len(made.codes) - 1

    root = add(layouts.ROOT, [], "", "SNOMED CT Concept")
    for code, name in _FIXED.items():
        add(code, [root], name[name.rindex("(") + 1 : -1], name[: name.rindex(" (")])
    rare = words(random, max(200, shape.concepts // 3))
    item = 2_000_000  # above every id that the layout itself uses
    left = shape.concepts - len(made.codes)
    for number, (title, tag, share) in enumerate(HIERARCHIES):
        size = max(2, left * share // 100) if number < len(HIERARCHIES) - 1 else shape.concepts - len(made.codes)
        item += 1
        start = add(sctid(item, "00"), [root], tag, title)
        for count in range(1, size):
            item += random.randrange(1, 9)
            first = start + int(count * random.random() ** 1.4)
            above = {first}
            while random.random() < 0.33:
                above.add(start + int(count * random.random() ** 1.4))
            add(sctid(item, "00"), sorted(above), tag, _name(tag, count, rare, random))
    for place in random.sample(range(len(_FIXED) + 20, len(made.codes)), int(len(made.codes) * shape.inactive)):
        made.active[place] = False
    below = {parent for place, parents in enumerate(made.parents) if made.active[place] for parent in parents}
    for place in below:
        made.active[place] = True
    # An active concept keeps active parents only, an inactive one has none.
    for place, parents in enumerate(made.parents):
        if not made.active[place]:
            made.parents[place] = []
        else:
            while any(not made.active[parent] for parent in parents):
                for parent in parents:
                    made.active[parent] = True
    return _repaired(made)


def _repaired(made: Made) -> Made:
    """Concepts made active again after they lost their parents hang below the root."""
    for place, parents in enumerate(made.parents):
        if made.active[place] and not parents and place:
            made.parents[place] = [0]
    return made


def words(random: Random, count: int) -> list[str]:
    """Made-up words, most of them rare."""
    made = {"".join(random.choices(_SYLLABLES, k=random.randrange(3, 6))) for _ in range(count)}
    return sorted(made)


def _name(tag: str, count: int, rare: Sequence[str], random: Random) -> str:
    """A name in the manner of its hierarchy; common words are common, and a made-up one sets most names apart."""
    site, own = SITES[int(len(SITES) * random.random() ** 2)], rare[int(len(rare) * random.random() ** 3)]
    if tag == "body structure":
        return (f"Structure of {site}" if count % 3 else f"Entire {site}") + (f" {own}" if count > len(SITES) else "")
    if tag in ("disorder", "finding"):
        change = CHANGES[int(len(CHANGES) * random.random() ** 2)]
        manner = random.choice(MANNERS)
        if count <= len(SITES):
            return f"{change} of {SITES[count - 1]}".capitalize()
        return f"{manner} {change} of {site} {own}".capitalize()
    if tag == "procedure":
        return f"{random.choice(('Imaging', 'Biopsy', 'Excision', 'Computed tomography'))} of {site} {own}"
    return f"{own} {random.choice(rare)} {random.choice(MANNERS)}".capitalize()


def _concept_rows(made: Made, shape: Shape) -> Iterator[Sequence[str]]:
    for code, active in zip(made.codes, made.active, strict=True):
        yield code, shape.date, "01"[active], layouts.CORE_MODULE, layouts.PRIMITIVE


def _descriptions(made: Made, shape: Shape, random: Random) -> Iterator[Sequence[str]]:
    """A fully specified name and synonyms of each concept, some of them inactive."""
    item, left = 100_000, shape.descriptions
    count = len(made.codes)
    for place, (code, name, tag) in enumerate(zip(made.codes, made.names, made.tags, strict=True)):
        terms = [(layouts.FULLY_SPECIFIED, f"{name} ({tag})" if tag else name), (layouts.SYNONYM, name)]
        while len(terms) < left // (count - place) + (random.random() < left / (count - place) % 1):
            terms.append((layouts.SYNONYM, _synonym(name, len(terms), random)))
        left -= len(terms)
        for number, (kind, term) in enumerate(terms):
            item += random.randrange(1, 7)
            active = "0" if number > 2 and random.random() < 0.1 else "1"
            module = layouts.CORE_MODULE
            yield sctid(item, "01"), shape.date, active, module, code, "en", kind, term, layouts.CASE_INSENSITIVE


def _definitions(made: Made, shape: Shape) -> Iterator[Sequence[str]]:
    """A text definition for one concept in sixty."""
    for place in range(0, len(made.codes), 60):
        head = (sctid(50_000_000 + place, "01"), shape.date, "1", layouts.CORE_MODULE, made.codes[place], "en")
        text = f"What {made.names[place]} is, said at length."
        yield *head, layouts.DEFINITION, text, layouts.CASE_INSENSITIVE


def _synonym(name: str, number: int, random: Random) -> str:
    words = name.split()
    if number == 2 and " of " in name:
        head, _, tail = name.partition(" of ")
        return f"{tail} {head}".capitalize()
    if number % 2:
        return f'{name}, {random.choice(MANNERS)} "type {number}"'
    return f"{' '.join(reversed(words))} {random.choice(MANNERS)}"


def _relationships(made: Made, shape: Shape, random: Random) -> Iterator[Sequence[str]]:
    """Each is-a, then attributes of active concepts, then retired ones."""
    item, count = 100_000, 0
    tail = (layouts.INFERRED, layouts.EXISTENTIAL)
    for place, parents in enumerate(made.parents):
        for parent in parents:
            item += 3
            count += 1
            head = (sctid(item, "02"), shape.date, "1", layouts.CORE_MODULE, made.codes[place], made.codes[parent])
            yield *head, "0", layouts.IS_A, *tail
    living = [place for place, active in enumerate(made.active) if active]
    types = [made.codes[place] for place in living[len(_FIXED) + 1 : len(_FIXED) + 40]]
    while count < shape.relationships:
        item += 3
        count += 1
        active = "1" if random.random() < 0.68 else "0"
        source, target = made.codes[random.choice(living)], made.codes[random.choice(living)]
        head = (sctid(item, "02"), shape.date, active, layouts.CORE_MODULE, source, target)
        yield *head, str(random.randrange(4)), types[int(len(types) * random.random() ** 2)], *tail


def _values(made: Made, shape: Shape) -> Iterator[Sequence[str]]:
    for number, code in enumerate(made.codes[-(len(made.codes) // 50) :]):
        if made.active[len(made.codes) - len(made.codes) // 50 + number]:
            head = (sctid(900_000 + number, "02"), shape.date, "1", layouts.CORE_MODULE, code, f"#{number % 40}")
            yield *head, "1", made.codes[len(_FIXED) + 1], layouts.INFERRED, layouts.EXISTENTIAL


def _uuid(number: int, kind: int) -> str:
    return f"{kind:08x}-0000-4000-8000-{number:012x}"


def _language(words: Iterable[Sequence[str]], shape: Shape) -> Iterator[Sequence[str]]:
    number = 0
    seen = ""
    for row in words:
        preferred = row[6] == layouts.FULLY_SPECIFIED or row[4] != seen
        if row[6] == layouts.SYNONYM:
            seen = row[4]
        for refset in layouts.DIALECTS:
            number += 1
            said = layouts.PREFERRED if preferred else layouts.ACCEPTABLE
            yield _uuid(number, 1), shape.date, "1", layouts.CORE_MODULE, refset, row[0], said


def _associations(made: Made, shape: Shape, random: Random) -> Iterator[Sequence[str]]:
    kinds = list(layouts.ASSOCIATIONS)[:4]
    living = [code for code, active in zip(made.codes, made.active, strict=True) if active]
    for number, (code, active) in enumerate(zip(made.codes, made.active, strict=True)):
        if not active:
            kind, target = random.choice(kinds), random.choice(living)
            made.old[code] = (layouts.ASSOCIATIONS[kind], target)
            yield _uuid(number, 2), shape.date, "1", layouts.CORE_MODULE, kind, code, target


def _simple(made: Made, shape: Shape, random: Random) -> Iterator[Sequence[str]]:
    for number in range(3):
        refset = made.codes[len(_FIXED) + 2 + number]
        members = sorted(random.sample(made.codes, max(5, len(made.codes) // 70)))
        made.refsets[refset] = members
        for place, code in enumerate(members):
            yield _uuid(number * 1_000_000 + place, 3), shape.date, "1", layouts.CORE_MODULE, refset, code


def _module(shape: Shape) -> Sequence[str]:
    head = (_uuid(1, 4), shape.date, "1", layouts.CORE_MODULE, layouts.MODULE_DEPENDENCY_REFSET)
    return (*head, layouts.MODEL_MODULE, shape.date, shape.date)
