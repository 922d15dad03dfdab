"""The sample that the judges see stays a sample of documents that are taken."""

from tests.conformance.generated import brought_near


def test_times_come_near_and_numbers_stay_what_they_are() -> None:
    said = {
        "birthDate": "1492",
        "issued": "9026-03-02T10:41:00+01:00",
        "measurements": [{"value": "1492", "range": {"low": "3692.7", "high": "7982"}}],
    }
    assert brought_near(said) == {
        "birthDate": "2292",
        "issued": "2226-03-02T10:41:00+01:00",
        "measurements": [{"value": "1492", "range": {"low": "3692.7", "high": "7982"}}],
    }


def test_a_shape_shows_the_measurement_that_it_did_whatever_its_name() -> None:
    shape = {"line": {"points": [[1, 2], [3, 4]], "measurement": "0001"}}
    for measurements in ({"0001": "3 mm"}, [{"concept": "0001", "value": "3 mm"}]):
        said = {"measurements": measurements, "images": [shape]}
        assert brought_near(said) == said
