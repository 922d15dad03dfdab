from decimal import Decimal

import pytest
from pydicom import config
from pydicom.valuerep import validate_value

from service.formats.sr import vr


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (vr.lo, "x" * 65),
        (vr.lo, "a\\b"),
        (vr.lo, "a\nb"),
        (vr.sh, "x" * 17),
        (vr.ut, "a\x00b"),
        (vr.ut, "a\x1bb"),
        (vr.st, "x" * 1025),
        (vr.cs, "lower"),
        (vr.cs, "X" * 17),
        (vr.da, "2026-03-02"),
        (vr.tm, "9:12"),
        (vr.dt, "2026-03"),
        (vr.ds, "12345678901234567"),
        (vr.ds, "12,5"),
        (vr.ds, ""),
        (vr.ui, "1.02.3"),
        (vr.ui, "1." + "2" * 63),
        (vr.ur, "a b"),
        (vr.pn, "a=b=c=d"),
        (vr.pn, "a^b^c^d^e^f"),
        (vr.pn, "x" * 65),
    ],
)
def test_refuses_what_the_vr_does_not_hold(check: object, value: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        check(value)  # type: ignore[operator] # one of the checks above


@pytest.mark.parametrize("check", [vr.lo, vr.sh, vr.ut, vr.pn])
def test_refuses_a_lone_surrogate(check: object) -> None:
    with pytest.raises(ValueError, match="surrogates"):
        check("a\ud800")  # type: ignore[operator] # one of the checks above


@pytest.mark.parametrize("value", [-1, 65_536])
def test_refuses_a_number_outside_us(value: int) -> None:
    with pytest.raises(ValueError, match="US"):
        vr.us(value)


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1e39])
def test_refuses_coordinates_that_are_no_float32(value: float) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        vr.fl((1.0, value))


def test_refuses_more_floats_than_an_element_holds() -> None:
    with pytest.raises(ValueError, match="more numbers"):
        vr.fl((0.0,) * 16_384)


def test_every_value_is_padded_to_even_length() -> None:
    made = [vr.lo("abc"), vr.ui("1.2.3"), vr.ds("1.5"), vr.ut("ä"), vr.pn("山田"), vr.cs("ABC"), vr.is_(7)]
    assert all(len(one) % 2 == 0 for one in made)
    assert vr.ui("1.2.3") == b"1.2.3\0"


@pytest.mark.parametrize(
    "text",
    ["12.50", "0", "-396", "1E+3", "0.000001", "1450.123456789012345", "123456789012345678901", "1E-300", "1.5E+300"],
)
def test_digits_are_a_ds_that_pydicom_takes(text: str) -> None:
    made, exact = vr.digits(Decimal(text))
    validate_value("DS", made, config.RAISE)
    assert exact == (len(text) <= 16)
    assert float(made) == pytest.approx(float(text), rel=1e-8)


@pytest.mark.parametrize("text", ["12.50", "14.20", "0.10", "1E+3"])
def test_digits_stay_as_written_where_they_fit(text: str) -> None:
    assert vr.digits(Decimal(text)) == (text, True)


def test_refuses_a_number_that_is_none() -> None:
    with pytest.raises(ValueError, match="finite"):
        vr.digits(Decimal("NaN"))
