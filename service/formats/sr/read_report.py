"""TID 1500 of any maker: what stands beside the measurement groups, and where groups are found."""

import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import zip_longest
from typing import Final

from service.coding.modalities import modality_of
from service.coding.naming import EVALUATIONS
from service.coding.resolve import NO_MODALITY
from service.domain.codes import LOCAL_SCHEME, Code, Term
from service.domain.errors import Invalid, Problem
from service.domain.geometry import ImageReference
from service.domain.report import Comparison, Evaluation, Lesion
from service.domain.times import DateTime
from service.domain.uids import is_uid
from service.formats.sr.content import Coded, Measured, Node
from service.formats.sr.read_days import Days, flag_other_studies
from service.formats.sr.read_group import Ids, evaluation, lesion
from service.formats.sr.read_notes import VALUE_WORDS, Notes, key_of_code, value_text
from service.formats.sr.read_shapes import image_reference
from service.formats.sr.read_subjects import Subjects
from service.formats.sr.read_text import modifiers

GROUP: Final = "measurement-group"
MEASUREMENTS: Final = "imaging-measurements"
_LISTS: Final = {"conclusion": "conclusions", "differential-diagnosis": "differential", "technique": "technique"}
_TEXTS: Final = ("findings", "impression")
_OF_SUBJECT: Final = frozenset({"qualitative-evaluations", "derived-imaging-measurements", *_LISTS, *_TEXTS})
_PRIOR: Final = re.compile(r"(?:(?P<rest>.*), )?study (?P<uid>[0-9.]+)", re.DOTALL)
_ACCESSION: Final = re.compile(r"(?:(?P<rest>.*), |^)accession (?P<accession>.{1,16})", re.DOTALL)
_OLD_LANGUAGES: Final = {
    "eng": "en", "deu": "de", "ger": "de", "fra": "fr", "fre": "fr", "spa": "es", "pol": "pl", "jpn": "ja", "ita": "it",
    "nld": "nl", "dut": "nl", "por": "pt", "zho": "zh", "chi": "zh", "kor": "ko", "rus": "ru", "swe": "sv", "ces": "cs",
}  # fmt: skip
"""Three letters (ISO 639-2) for which a language tag has two (RFC 5646 2.2.1)."""


class Statements:
    """What is said of the study as a whole."""

    __slots__ = ("conclusions", "differential", "evaluations", "negatives", "priors", "technique", "texts")

    def __init__(self) -> None:
        """Nothing is said yet."""
        self.texts: dict[str, list[str]] = {key: [] for key in _TEXTS}
        self.conclusions: list[Term] = []
        self.differential: list[Term] = []
        self.technique: list[Term] = []
        self.negatives: list[Term] = []
        self.evaluations: list[Evaluation[Term]] = []
        self.priors: list[Comparison[Term]] = []

    def text(self, key: str) -> str | None:
        """The findings or the impression in words."""
        return "\n".join(self.texts[key]) or None


def groups(notes: Notes) -> Iterator[Node]:
    """The measurement groups, wherever they stand; one without a name counts where groups are expected."""
    for node in notes.tree.nodes:
        if node.kind != "CONTAINER":
            continue
        key = notes.key(node)
        if key == GROUP:
            yield node
        elif key == MEASUREMENTS:
            yield from (child for child in node.children if child.kind == "CONTAINER" and child.name is None)


def lesions(notes: Notes, subjects: Subjects, days: Days) -> tuple[Lesion[Term], ...]:
    """A lesion for each group, and one for the numbers that stand in no group; of the patient and the study only."""
    found: list[Lesion[Term]] = []
    ids, most = Ids(notes), notes.intake.limits.lesions
    own = tuple([node for node in groups(notes) if not subjects.skip(notes, node)])
    for node in days.groups(notes, own):
        if len(found) >= most:
            raise Invalid(Problem(node.path, "limit", f"there are more than {most} measurement groups"))
        found.append(lesion(notes, node, ids, days.items(notes, node.children)))
    for node in notes.tree.nodes:
        if node.kind == "CONTAINER" and notes.key(node) == MEASUREMENTS and not subjects.skip(notes, node):
            node.taken = True
            loose = tuple(child for child in node.children if child.kind == "NUM")
            if loose:
                notes.flag(node.path, "measurements", "they stand in no group: together in one here", "sr-no-group")
                found.append(lesion(notes, node, ids, days.items(notes, loose)))
    flag_other_studies(notes, tuple(found))
    return tuple(found)


def language(notes: Notes) -> str:
    """The language of the document (TID 1204) as a tag; English as we write it where none is said."""
    node = notes.below(notes.tree.root, "language-of-content-item-and-descendants")
    if node is None or not isinstance(node.value, Coded) or node.value.code is None:
        return "en-US"
    node.taken = True
    said = node.value.code.code
    tag = _OLD_LANGUAGES.get(said.lower(), said)
    country = notes.below(node, "country-of-language")
    if country is not None and isinstance(country.value, Coded) and country.value.code is not None:
        where = country.value.code.code
        if len(where) == 2 and where.isalpha() and "-" not in tag:
            country.taken = True
            tag = f"{tag}-{where.upper()}"
    if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", tag) is None:
        notes.flag(node.path, said, "no language tag (RFC 5646): English stands for it", "sr-language")
        return "en-US"
    return tag


def procedures(notes: Notes) -> tuple[Term, ...]:
    """Procedure Reported (TID 1500 row 4); ours says a procedure without a code in words below a general one."""
    stand_in = notes.vocabulary.code("imaging-procedure")
    found = []
    for node in notes.tree.root.children:
        if notes.key(node) == "procedure-reported":
            term = notes.answer(node)
            if term is not None and term.code == stand_in and term.text != term.code.display:
                term = Term(term.text, None, term.where)
            if term is not None:
                found.append(term)
    return tuple(found)


def statements(notes: Notes, subjects: Subjects) -> Statements:
    """The report-level evaluations, and derived measurements (TID 1420) in words."""
    made = Statements()
    for container in notes.tree.root.children:
        key = notes.key(container)
        if key in _OF_SUBJECT and subjects.skip(notes, container):
            continue
        if key == "qualitative-evaluations" and container.kind == "CONTAINER":
            container.taken = True
            for node, after in zip_longest(container.children, container.children[1:]):
                if after is not None and notes.key(after) == VALUE_WORDS and isinstance(after.value, str):
                    notes.beside[node.path], after.taken = after.value, True
                if not node.taken:
                    _statement(notes, node, made)
        elif key == "derived-imaging-measurements" and container.kind == "CONTAINER":
            container.taken = True
            for node in container.walk():
                if node.kind == "NUM" and not node.taken:
                    _number(notes, node, made)
        elif (key in _TEXTS or key in _LISTS) and container.kind in ("CODE", "TEXT"):
            _statement(notes, container, made)
    return made


def _statement(notes: Notes, node: Node, made: Statements) -> None:
    key = notes.key(node)
    if key in _TEXTS and node.kind == "TEXT" and isinstance(node.value, str):
        node.taken = True
        made.texts[key].append(node.value)
    elif key in _LISTS or (key == "impression" and node.kind == "CODE"):
        term = notes.answer(node)
        if term is not None:
            list_of: list[Term] = getattr(made, _LISTS.get(key, "conclusions"))
            list_of.append(term)
    elif key == "absent" and node.kind == "TEXT" and isinstance(node.value, str):
        node.taken = True
        made.negatives.append(Term(node.value, None, node.path))
    elif _denies(notes, node):
        name = notes.name(node)
        node.taken = True
        if name is not None:
            made.negatives.append(name)
    elif key == "prior-procedure-descriptions" and isinstance(node.value, str) and _prior(notes, node.value):
        node.taken = True
        made.priors.append(_compared(notes, node.value))
    elif node.kind == "NUM":
        _number(notes, node, made)
    elif node.kind in ("CODE", "TEXT", "DATE", "TIME", "DATETIME", "PNAME"):
        answer = evaluation(notes, node)
        if answer is not None:
            made.evaluations.append(answer)


def _denies(notes: Notes, node: Node) -> bool:
    """Whether a finding is said to be absent.

    Of a field that is no finding *absent* is an answer like any other. Of one that is both (oedema, haemorrhage) it
    says the same either way, and the SR has one form for both.
    """
    value = node.value
    if not isinstance(value, Coded) or value.code is None or node.name is None:
        return False
    if key_of_code(value.code.system, value.code.code) != "absent":
        return False
    tables, code = notes.vocabulary, node.name.code
    if code is None:
        return True
    fields, findings = tables.names(EVALUATIONS).by_concept, tables.members["negative"].values or frozenset()
    if code.system == LOCAL_SCHEME:
        return code.code not in fields
    named = {concept for concept, _ in tables.by_code.get((code.system, code.code), ())}
    return bool(named & findings) or not named & set(fields)


def _number(notes: Notes, node: Node, made: Statements) -> None:
    """A number of the whole study, in words: a report has numbers of lesions only."""
    name = notes.name(node)
    if name is None or not isinstance(node.value, Measured) or not node.value.digits:
        notes.skip(node, "it has no name or no value", "sr-no-value")
        return
    node.taken = True
    notes.flag(node.path, name.text, "a number of the whole study is kept in words", "sr-derived-measurement")
    words = f"{value_text(node)}{modifiers(notes, node)}"
    made.evaluations.append(Evaluation(name, Term(words, None, node.path), "", node.path))


def _prior(notes: Notes, text: str) -> bool:
    """Whether a text is what our writer says of a prior study."""
    match = _PRIOR.fullmatch(text) if notes.own else None
    return match is not None and is_uid(match["uid"])


def _compared(notes: Notes, text: str) -> Comparison[Term]:
    """A prior study out of our writer's words: start, modality, description, accession number, study."""
    match = _PRIOR.fullmatch(text)
    assert match is not None  # noqa: S101 - for the type checker; `_prior` held it
    rest, accession = match["rest"] or "", None
    ordered = _ACCESSION.fullmatch(rest)
    if ordered is not None:
        rest, accession = ordered["rest"] or "", ordered["accession"]
    started = None
    first, comma, behind = rest.partition(", ")
    with suppress(ValueError):
        started, rest = DateTime(first), behind if comma else ""
    modality = None
    for term in sorted(_modalities(notes), key=lambda one: -len(one.text)):
        if rest == term.text or rest.startswith(f"{term.text}, "):
            modality, rest = term, rest[len(term.text) + 2 :]
            break
    return Comparison(match["uid"], started, accession, modality, rest or None)


class Library:
    """The image library: its images in order, and the modality of the study."""

    __slots__ = ("images", "modality")

    def __init__(self, notes: Notes) -> None:
        """Read it; what it says of the making of each image is left to the list of losses."""
        self.images: list[ImageReference] = []
        found = [node for node in notes.tree.root.children if notes.key(node) == "image-library"]
        for container in found:
            for node in container.walk():
                self._item(notes, node)
        said = [notes.answer(node) for node in _modality_nodes(notes)[:1]]
        self.modality = said[0] if said else None
        for number, image in enumerate(self.images):
            notes.places.setdefault(image.sop_instance, number)

    def _item(self, notes: Notes, node: Node) -> None:
        key = notes.key(node)
        if node.kind == "IMAGE" and not node.target:
            image = image_reference(notes, node)
            if image is not None:
                self.images.append(image)
        elif node.kind == "CONTAINER" and key in ("image-library", "image-library-group"):
            node.taken = True
        elif notes.own and key in ("study-date", "study-time", "modality"):
            node.taken = True  # ours repeats there what the header and the words on prior studies say


def _modality_nodes(notes: Notes) -> list[Node]:
    return [
        node
        for container in notes.tree.root.children
        if notes.key(container) == "image-library"
        for node in container.walk()
        if notes.key(node) == "modality" and node.kind in ("CODE", "TEXT")
    ]


def _modalities(notes: Notes) -> list[Term]:
    found = []
    for node in _modality_nodes(notes):
        term = notes.answer(node)
        if term is None:
            continue
        code = term.code
        known = notes.vocabulary.by_code.get((code.system, code.code), ()) if code is not None else ()
        labels = [notes.vocabulary.concepts[key].label for key, _ in known]
        found += [Term(label, code, term.where) for label in labels] or [term]
    return found


def modality(notes: Notes, library: Library, images: list[ImageReference]) -> Term:
    """The modality of the study: the library's, else that of the images' class, else unknown."""
    if library.modality is not None:
        return library.modality
    for image in images:
        known = modality_of(image.sop_class)
        if known is not None and known.code is not None and known.concept != "segmentation":
            code = known.code
            return Term(code.display, Code(code.system, code.code, code.display), image.where)
    notes.lack("Modality", "modality of the study", "neither the document nor its images say it", "sr-modality")
    return Term(NO_MODALITY, None, "Modality")
