"""The image library: a group a modality, and only what is known of an image."""

from dataclasses import replace

from service.check.compare import compare
from service.domain.report import Comparison
from service.domain.times import DateTime
from service.formats.sr.items import Image
from service.formats.sr.write import write
from tests.report_set import REPORTS
from tests.report_terms import CT_IMAGE, PRIOR_UID, SECONDARY_CAPTURE
from tests.reports import image, make_coded_report
from tests.unit.formats.sr.written import header, named, only, tree


def test_nothing_is_claimed_of_the_modality_of_a_prior_study() -> None:
    shown = image(3, prior=True, sop_class=SECONDARY_CAPTURE)
    study = replace(make_coded_report().study, comparisons=(Comparison(PRIOR_UID),), images=(shown,))
    groups = named(tree(make_coded_report(study=study)), "image-library-group")
    assert [len(named(group, "modality")) for group in groups] == [1, 0]


def test_an_image_of_another_modality_than_the_study_stands_in_a_group_of_its_own() -> None:
    pair = (image(1), image(2, sop_class=CT_IMAGE), image(3, sop_class=SECONDARY_CAPTURE))
    study = replace(make_coded_report().study, images=pair)
    groups = named(tree(make_coded_report(study=study, lesions=())), "image-library-group")
    said = [
        (
            only(group, "modality").value.codes[0].code,
            [item.value for item in group.children if isinstance(item, Image)],
        )
        for group in groups
    ]
    assert [(code, [one.sop_instance for one in shown]) for code, shown in said] == [
        ("MR", [pair[0].sop_instance, pair[2].sop_instance]),
        ("CT", [pair[1].sop_instance]),
    ]


def test_a_segmentation_is_no_image_of_the_library() -> None:
    (group,) = named(tree(REPORTS["segment"]()), "image-library-group")
    assert "1.2.840.10008.5.1.4.1.1.66.4" not in [
        item.value.sop_class for item in group.children if isinstance(item, Image)
    ]


def test_the_library_names_the_day_of_a_leap_second_which_readers_do_not_take_and_the_header_its_time() -> None:
    study = replace(make_coded_report().study, started=DateTime("2016-12-31T23:59:60Z"))
    report = make_coded_report(study=study)
    document = write(report)
    (group,) = named(tree(report), "image-library-group")
    assert [item.value for item in named(group, "study-date")] == ["20170101"]
    assert named(group, "study-time") == []
    assert header(report).StudyTime == "005960"
    assert compare(report, document.content, None, document.losses) == ()
