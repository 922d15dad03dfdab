"""RadLex in both forms: what is read, and what is refused."""

from pathlib import Path

import pytest

from service.coding.releases.radlex import class_of
from service.coding.releases.store import Use
from service.domain.errors import Invalid, LesionBridgeError, Unreadable
from tests.releases import Site

RID = "http://www.radlex.org/RID/"
OWL = f"""<?xml version="1.0"?>
<rdf:RDF xmlns="{RID}" xmlns:RID="{RID}" xmlns:owl="http://www.w3.org/2002/07/owl#"
  xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#">
  <owl:Ontology rdf:about="http://www.radlex.org/RID/"><owl:versionInfo>4.1</owl:versionInfo></owl:Ontology>
  <owl:Class rdf:about="{RID}RID900001"><rdfs:label xml:lang="en">made-up entity</rdfs:label></owl:Class>
  <owl:Class rdf:about="{RID}RID900002">
    <rdfs:label xml:lang="en">RID900002</rdfs:label>
    <rdfs:subClassOf rdf:resource="{RID}RID900001"/>
    <rdfs:subClassOf><owl:Restriction><RID:Part_Of rdf:resource="{RID}RID900003"/></owl:Restriction></rdfs:subClassOf>
    <RID:Preferred_name xml:lang="en">made-up part &amp; more</RID:Preferred_name>
    <RID:Preferred_name_German>erfundener Teil</RID:Preferred_name_German>
    <RID:Synonym>invented part</RID:Synonym>
    <RID:Acronym>MUP</RID:Acronym>
    <RID:Misspelling_of_term>mdae-up part</RID:Misspelling_of_term>
    <RID:Part_Of rdf:resource="{RID}RID900001"/>
  </owl:Class>
  <rdf:Description rdf:about="http://www.owl-ontologies.com/RADLEX.owl#RID900003">
    <RID:Preferred_Name_for_Obsolete>old part</RID:Preferred_Name_for_Obsolete>
    <RID:Replaced_by rdf:resource="{RID}RID900002"/>
  </rdf:Description>
  <rdf:Description rdf:about="{RID}RID900002"><RID:Definition>What nobody has.</RID:Definition></rdf:Description>
</rdf:RDF>
"""
HEADER = (
    "Class ID,Preferred Label,Synonyms,Definitions,Obsolete,CUI,Semantic Types,Parents,"
    f"{RID}Preferred_name_German,{RID}Replaced_by,{RID}Preferred_Name_for_Obsolete\n"
)
CSV = (
    HEADER
    + f"{RID}RID900001,made-up entity,,,false,,,http://www.w3.org/2002/07/owl#Thing,,,\n"
    + f'{RID}RID900002,"made-up part, whole",invented part|MUP,"Said in ""quotes"".",false,,,{RID}RID900001,'
    + "erfundener Teil,,\n"
    + f"{RID}RID900003,RID900003,,,true,,,,,{RID}RID900002,old part\n"
)


def _write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def _words(site: Site, code: str) -> set[tuple[str, Use, str]]:
    return {(word.term, word.use, word.language) for word in site.releases.designations("RADLEX", code)}


def test_reads_the_owl_file(site: Site, tmp_path: Path) -> None:
    placed = site.load(_write(tmp_path, "RadLex.owl", OWL))
    assert placed.systems == (("RADLEX", "4.1", 3),)
    assert _words(site, "RID900002") == {
        ("made-up part & more", Use.PREFERRED, "en"),
        ("erfundener Teil", Use.PREFERRED, "de"),
        ("invented part", Use.SYNONYM, "en"),
        ("MUP", Use.ABBREVIATION, "en"),
        ("What nobody has.", Use.DEFINITION, "en"),
    }
    assert site.releases.parents("RADLEX", "RID900002") == ("RID900001",)
    assert [(one.type, one.target) for one in site.releases.attributes("RADLEX", "RID900002")] == [
        ("Part_Of", "RID900001")
    ]


def test_an_obsolete_class_is_inactive_and_says_what_replaced_it(site: Site, tmp_path: Path) -> None:
    for name, text in (("RadLex.owl", OWL), ("RadLex.csv", CSV)):
        site.load(_write(tmp_path, name, text))
        found = site.releases.lookup("RADLEX", "RID900003")
        assert found is not None
        assert (found.active, found.display) == (False, "old part")
        assert [(one.kind, one.target) for one in site.releases.historical("RADLEX", "RID900003")] == [
            ("replaced-by", "RID900002")
        ]


def test_reads_the_csv_form(site: Site, tmp_path: Path) -> None:
    placed = site.load(_write(tmp_path, "RadLex_4.2.csv", CSV))
    assert placed.systems == (("RADLEX", "4.2", 3),)
    assert _words(site, "RID900002") == {
        ("made-up part, whole", Use.PREFERRED, "en"),
        ("erfundener Teil", Use.PREFERRED, "de"),
        ("invented part", Use.SYNONYM, "en"),
        ("MUP", Use.SYNONYM, "en"),
        ('Said in "quotes".', Use.DEFINITION, "en"),
    }
    assert site.releases.subsumes("RADLEX", "RID900001", "RID900002")


@pytest.mark.parametrize(
    "uri",
    [
        "http://www.radlex.org/RID/RID39056",
        "http://radlex.org/RID/RID39056",
        "http://www.owl-ontologies.com/RADLEX.owl#RID39056",
        "http://radlex.org/RID39056",
    ],
)
def test_every_spelling_of_a_uri_names_the_class(uri: str) -> None:
    assert class_of(uri) == "RID39056"


def test_a_short_form_of_a_uri_may_stand_in_the_doctype(site: Site, tmp_path: Path) -> None:
    text = OWL.replace('<?xml version="1.0"?>', f'<?xml version="1.0"?>\n<!DOCTYPE rdf:RDF [<!ENTITY r "{RID}">]>')
    site.load(_write(tmp_path, "RadLex.owl", text.replace(f'"{RID}RID900001"', '"&r;RID900001"')))
    assert site.releases.parents("RADLEX", "RID900002") == ("RID900001",)


@pytest.mark.parametrize(
    ("declared", "why"),
    [
        ('<!ENTITY a "0123456789"><!ENTITY b "&a;&a;">', "not expanded"),
        (f'<!ENTITY a "{"x" * 5000}">', "not expanded"),
        ('<!ENTITY a SYSTEM "file:///etc/passwd">', "not expanded"),
        ('<!ENTITY % a "b">', "not expanded"),
    ],
)
def test_refuses_entities_that_expand(declared: str, why: str, site: Site, tmp_path: Path) -> None:
    text = OWL.replace('<?xml version="1.0"?>', f'<?xml version="1.0"?>\n<!DOCTYPE rdf:RDF [{declared}]>')
    with pytest.raises(Invalid, match=why) as refused:
        site.load(_write(tmp_path, "RadLex.owl", text))
    assert refused.value.problems[0].pointer == "RadLex.owl:2"


@pytest.mark.parametrize(
    ("name", "text", "error", "why"),
    [
        ("RadLex.owl", OWL[: len(OWL) // 2], Unreadable, "breaks off"),
        ("Other.owl", OWL.replace("RID9", "X9"), Invalid, "no RadLex"),
        ("RadLex.csv", CSV.replace("Obsolete", "Old"), Invalid, "no column Obsolete"),
        ("RadLex.csv", CSV + "a,b\n", Invalid, "2 cells where the header has 11 columns"),
        ("RadLex.csv", CSV + CSV.splitlines()[1] + "\n", Invalid, "RID900001 is there twice"),
        ("RadLex.csv", HEADER, Invalid, "no RadLex"),
        ("RadLex.csv", CSV + '"never closed', Unreadable, "breaks off"),
    ],
)
def test_refuses_what_is_cut_or_foreign(
    name: str, text: str, error: type[LesionBridgeError], why: str, site: Site, tmp_path: Path
) -> None:
    with pytest.raises(error, match=why):
        site.load(_write(tmp_path, name, text))


def test_refuses_a_cycle(site: Site, tmp_path: Path) -> None:
    turned = CSV.replace("http://www.w3.org/2002/07/owl#Thing", f"{RID}RID900002")
    with pytest.raises(Invalid, match="its own ancestor"):
        site.load(_write(tmp_path, "RadLex.csv", turned))
