"""The header says state, people, times and ids of the report as they are, or names what it can't."""

from dataclasses import replace

import pytest

from service.domain.codes import CodedTerm
from service.domain.errors import Invalid
from service.domain.names import PersonName
from service.domain.report import Observer, PatientId, Person, Status
from service.domain.times import DateTime
from service.formats.sr.write import write
from tests.report_set import rich_report
from tests.report_terms import LEFT
from tests.reports import HOSPITAL, make_coded_report
from tests.unit.formats.sr.written import header


@pytest.mark.parametrize("status", Status)
def test_the_flags_say_the_state_of_the_report(status: Status) -> None:
    dataset = header(make_coded_report(status=status))
    partial = status in (Status.PRELIMINARY, Status.CANCELLED)
    assert dataset.CompletionFlag == ("PARTIAL" if partial else "COMPLETE")
    assert dataset.PreliminaryFlag == ("PRELIMINARY" if status is Status.PRELIMINARY else "FINAL")
    described = dataset.get("CompletionFlagDescription")
    assert described == (None if status in (Status.FINAL, Status.PRELIMINARY) else status.value)


@pytest.mark.parametrize("status", Status)
def test_a_withdrawal_that_the_flags_can_not_say_is_flagged(status: Status) -> None:
    losses = write(make_coded_report(status=status)).losses
    assert [loss.rule for loss in losses] == (["sr-withdrawn"] if status is Status.ENTERED_IN_ERROR else [])


def _verifier(**changes: object) -> Observer[CodedTerm]:
    person: Person[CodedTerm] = Person(
        PersonName.parse("Reader^Ann"), verified_at=DateTime("2026-03-02T10:40:00+01:00")
    )
    return Observer(person=replace(person, **changes))  # type: ignore[arg-type] # members of a person


def test_a_verified_report_names_who_verified_it_and_when() -> None:
    dataset = header(make_coded_report(observers=(_verifier(id="R1", organization="Klinik"),)))
    assert dataset.VerificationFlag == "VERIFIED"
    (item,) = dataset.VerifyingObserverSequence
    assert str(item.VerifyingObserverName) == "Reader^Ann"
    assert item.VerificationDateTime == "20260302104000+0100"
    assert item.VerifyingOrganization == "Klinik"
    assert item.VerifyingObserverIdentificationCodeSequence[0].CodeValue == "R1"


def test_a_preliminary_report_is_not_verified_and_says_what_was_lost() -> None:
    report = make_coded_report(status=Status.PRELIMINARY, observers=(_verifier(),))
    assert header(report).VerificationFlag == "UNVERIFIED"
    assert [loss.rule for loss in write(report).losses] == ["sr-verified-needs-complete"]


def test_ideographic_and_phonetic_names_arrive_whole() -> None:
    found = header(rich_report()).VerifyingObserverSequence[0].VerifyingObserverName
    assert found.ideographic == "山田^太郎"
    assert found.phonetic == "やまだ^たろう"


def test_refuses_a_patient_id_that_no_lo_holds() -> None:
    patient = replace(make_coded_report().patient, id="x" * 65)
    with pytest.raises(Invalid) as refused:
        write(make_coded_report(patient=patient))
    assert refused.value.problems[0].pointer == "/patient/id"


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"accession": "x" * 17}, "/study/accession"),
        ({"description": "x" * 65}, "/study/description"),
        ({"started": DateTime("2026-03")}, "/study/started"),
        ({"accession": None, "accession_issuer": HOSPITAL}, "/study/accessionIssuer"),
        ({"referring_physician": Person(PersonName.parse("Gray^Henry"), role=LEFT)}, "/study/referringPhysician/role"),
    ],
)
def test_what_does_not_fit_the_header_is_named_as_lost(change: dict[str, object], where: str) -> None:
    study = replace(make_coded_report().study, **change)  # type: ignore[arg-type] # members of a study
    assert [loss.where for loss in write(make_coded_report(study=study)).losses] == [where]


@pytest.mark.parametrize(
    ("said", "written", "is_changed"),
    [
        ("MR  head\u00a0w/wo contrast", "MR  head\u00a0w/wo contrast", False),
        (" MR head ", "MR head", False),
        ("MR head \r\n with\tcontrast", "MR head with contrast", True),
        ("MR\\head", "MR/head", True),
    ],
)
def test_what_one_line_changes_in_words_is_flagged(said: str, written: str, is_changed: bool) -> None:
    report = make_coded_report(study=replace(make_coded_report().study, description=said))
    assert header(report).StudyDescription == written
    found = [(loss.kind, loss.where, loss.rule) for loss in write(report).losses]
    assert found == [("flagged", "/study/description", "sr-one-line")] * is_changed


def test_a_time_without_a_zone_is_flagged_where_the_zone_of_the_report_comes_to_hold_for_it() -> None:
    study = replace(make_coded_report().study, started=DateTime("2026-03-02T09:12:00"))
    (loss,) = write(make_coded_report(study=study)).losses
    assert (loss.kind, loss.where, loss.rule) == ("flagged", "/study/started", "sr-time-zone")


def test_an_author_of_no_known_organization_has_none() -> None:
    said: Person[CodedTerm] = Person(PersonName.parse("Reader^Ann"), id="R1")
    (author,) = header(make_coded_report(observers=(Observer(person=said),))).AuthorObserverSequence
    assert (author.InstitutionName, author.PersonIdentificationCodeSequence[0].CodeValue) == ("", "R1")


def test_a_name_that_no_pn_holds_is_refused_without_saying_it() -> None:
    patient = replace(make_coded_report().patient, name=PersonName.parse("Doe\x07^Jane"))
    with pytest.raises(Invalid) as refused:
        write(make_coded_report(patient=patient))
    assert "PatientName" in str(refused.value)
    assert "Jane" not in str(refused.value)


def test_ids_stay_exactly_as_they_are() -> None:
    patient = replace(make_coded_report().patient, other_ids=(PatientId("A  7"),))
    study = replace(make_coded_report().study, accession="A  481")
    dataset = header(make_coded_report(patient=patient, study=study))
    assert dataset.OtherPatientIDsSequence[0].PatientID == "A  7"
    assert dataset.AccessionNumber == dataset.ReferencedRequestSequence[0].AccessionNumber == "A  481"


def test_the_offset_of_utc_is_never_negative() -> None:
    verified = _verifier(verified_at=DateTime("2026-03-02T09:40:00-00:00"))
    dataset = header(make_coded_report(issued=DateTime("2026-03-02T09:41:00-00:00"), observers=(verified,)))
    assert dataset.TimezoneOffsetFromUTC == "+0000"
    assert dataset.VerifyingObserverSequence[0].VerificationDateTime == "20260302094000+0000"
