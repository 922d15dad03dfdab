"""What is read as an expression and what is refused, where."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.coding.ecl import EclLimits, parse
from service.coding.ecl import syntax as ecl
from service.domain.errors import Invalid

LUNG = ecl.Reference("19829001")
SITE = ecl.Reference("363698007")
MORPHOLOGY = ecl.Reference("116676008")
EDEMA = ecl.Reference("79654002")


def below(code: ecl.Expression) -> ecl.Expression:
    return ecl.Related(ecl.Operator.DESCENDANT_OR_SELF, code)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("19829001 |Disorder of lung|", LUNG),
        (" /* one */ 19829001 /* two * / three */ ", LUNG),
        ("<<19829001", below(LUNG)),
        ("<< 19829001 | disorder (of: lung) AND more |", below(LUNG)),
        ("^ 19829001", ecl.Member(LUNG)),
        ("<< ^ 19829001", below(ecl.Member(LUNG))),
        ("^ (<< 19829001)", ecl.Member(below(LUNG))),
        ("* MINUS 19829001", ecl.Without(ecl.Anything(), LUNG)),
        ("19829001 AND 79654002 and 363698007", ecl.Every((LUNG, EDEMA, SITE))),
        ("19829001, 79654002", ecl.Every((LUNG, EDEMA))),
        ("19829001 OR (79654002 AND *)", ecl.Some((LUNG, ecl.Every((EDEMA, ecl.Anything()))))),
        ("19829001 . 363698007 . 116676008", ecl.Dotted(ecl.Dotted(LUNG, SITE), MORPHOLOGY)),
        (
            "19829001: 116676008 != << 79654002",
            ecl.Refined(LUNG, ecl.HasAttribute(MORPHOLOGY, below(EDEMA), equal=False)),
        ),
        (
            "19829001: [0..*] R 116676008 = *",
            ecl.Refined(LUNG, ecl.HasAttribute(MORPHOLOGY, ecl.Anything(), reverse=True, times=ecl.Times(0))),
        ),
        (
            "*: [1..3] {363698007 = 19829001, 116676008 = 79654002} OR 363698007 = *",
            ecl.Refined(
                ecl.Anything(),
                ecl.OneOf(
                    (
                        ecl.HasGroup(
                            ecl.AllOf((ecl.HasAttribute(SITE, LUNG), ecl.HasAttribute(MORPHOLOGY, EDEMA))),
                            ecl.Times(1, 3),
                        ),
                        ecl.HasAttribute(SITE, ecl.Anything()),
                    )
                ),
            ),
        ),
        (
            "*: (363698007 OR 116676008) = 79654002",
            ecl.Refined(ecl.Anything(), ecl.HasAttribute(ecl.Some((SITE, MORPHOLOGY)), EDEMA)),
        ),
        (
            "*: (363698007 = 79654002 OR 116676008 = 79654002), 363698007 = *",
            ecl.Refined(
                ecl.Anything(),
                ecl.AllOf(
                    (
                        ecl.OneOf((ecl.HasAttribute(SITE, EDEMA), ecl.HasAttribute(MORPHOLOGY, EDEMA))),
                        ecl.HasAttribute(SITE, ecl.Anything()),
                    )
                ),
            ),
        ),
    ],
)
def test_reads(text: str, expected: ecl.Expression) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "<",
        "< < 19829001",
        "^ ^ 19829001",
        "19829001 |unended",
        "/* unended 19829001",
        "12345",
        "019829001",
        "1234567890123456789",
        "19829001 79654002",
        "19829001 AND",
        "19829001 AND 79654002 OR 363698007",
        "19829001 MINUS 79654002 MINUS 363698007",
        "(19829001",
        "19829001)",
        "19829001:",
        "19829001: 363698007",
        "19829001: 363698007 = ",
        "19829001: {363698007 = *",
        "19829001: {{363698007 = *}",
        "19829001: [2..1] 363698007 = *",
        "19829001: [1..99999999999] 363698007 = *",
        "19829001: 363698007 = * , 116676008 = * OR 363698007 = *",
        "19829001: {{ 363698007 = * } }",
        "19829001; DROP",
        "lung",
        "１９８２９００１",
    ],
)
def test_refuses_what_is_no_expression(text: str) -> None:
    with pytest.raises(Invalid):
        parse(text)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('19829001 {{ term = "lung" }}', "double braces"),
        ("19829001 {{ +HISTORY }}", "double braces"),
        ("19829001: 363698007 >= #500", "concrete values"),
        ("19829001: 363698007 = #500", "concrete values"),
        ('19829001: 363698007 = "PANADOL"', "concrete values"),
        ("19829001: 363698007 = TRUE", "concrete values"),
        ("LOINC#54486-6", "a concept"),
        ("!!> 19829001", "top"),
        ("!!< 19829001", "bottom"),
        ("^ [referencedComponentId] 19829001", "fields of a reference set"),
    ],
)
def test_what_is_not_read_is_refused_by_name(text: str, named: str) -> None:
    with pytest.raises(Invalid, match=named):
        parse(text)


def test_says_at_which_character_it_stops() -> None:
    with pytest.raises(Invalid) as raised:
        parse("<< 19829001 OR lung")
    assert raised.value.problems[0].pointer == "character 16"


def test_refuses_an_expression_longer_than_the_limit() -> None:
    with pytest.raises(Invalid) as raised:
        parse("19829001 OR " * 10 + "19829001", EclLimits(characters=100))
    assert raised.value.problems[0].rule == "limit"


@pytest.mark.parametrize(
    "text",
    ["(" * 500 + "*" + ")" * 500, "<" + "(<" * 500 + "*" + ")" * 500, "*:" + "(" * 500, "*: *=" + "(*: *=" * 500],
)
def test_refuses_an_expression_nested_more_deeply_than_the_limit(text: str) -> None:
    with pytest.raises(Invalid) as raised:
        parse(text)
    assert raised.value.problems[0].rule == "limit"


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet='<>!^*(){}[]:,.=#"|/ 0123456789ANDORMINUSR\n', max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    rule = "none"
    try:
        parse(text)
    except Invalid as refused:
        rule = refused.problems[0].rule
    assert rule in {"none", "ecl", "not-supported", "limit"}
