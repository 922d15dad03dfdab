"""Measurements and descriptors that say no number, no unit or no answer."""

from tests.bad_input.case import changed, lesion, measured, within

_VALUE = "/lesions/0/measurements/x/value"
MEASUREMENTS = [
    measured("a number without unit", 14.2, "unit-missing"),
    measured("a string without unit", "14.2", "unit-missing"),
    measured("parts without unit", {"value": 14.2}, "unit-missing", "/unit"),
    measured("two units", {"value": "14.2 mm", "unit": "cm"}, "unit-twice", "/unit"),
    measured("a decimal comma", "14,2 mm", "decimal-comma"),
    measured("a comma for thousands", "1,450 mm3", "decimal-comma"),
    measured("a decimal comma in parts", {"value": "14,2", "unit": "mm"}, "decimal-comma", "/value"),
    measured("a bound", "<5 mm", "measurement"),
    measured("about", "~5 mm", "measurement"),
    measured("a plus, which may mean growth", "+3 mm", "measurement"),
    measured("from to", "10-12 mm", "measurement"),
    measured("two numbers", "14 mm x 11 mm", "measurement"),
    measured("two numbers in one", "14x11 mm", "measurement"),
    measured("two numbers with spaces", "14 × 11 mm", "measurement"),
    measured("a space for thousands", "1 450 mm3", "measurement"),
    measured("no leading digit", ".5 mm", "measurement"),
    measured("a leading zero", "014.2 mm", "measurement"),
    measured("no number", "large", "measurement"),
    measured("an empty value", "", "measurement"),
    measured("digits of another script", "١٤ mm", "measurement"),
    measured("33 digits", f"{'9' * 33} mm", "number"),
    measured("a huge exponent", "1e999999 mm", "number"),
    measured("an exponent without bound", "1e99999999999999999999 mm", "number"),
    measured("a list", [14.2, "mm"], "type"),
    measured("true", True, "type"),
    measured("true in parts", {"value": True, "unit": "mm"}, "type", "/value"),
    measured("a measurement of 257 characters", f"14.2 {'m' * 252}", "length"),
    within("a huge JSON number", b'"VALUE"', b"1e999999", (_VALUE, "number")),
    within("a long JSON number", b'"VALUE"', b"9" * 4_000, (_VALUE, "number")),
    within("a long JSON decimal", b'"VALUE"', b"0." + b"9" * 4_000, (_VALUE, "number")),
    lesion("a concept with white space around", {"measurements": {" x": "1 mm"}}, ("/measurements/ x", "empty")),
    lesion("a concept without name", {"measurements": {"": "1 mm"}}, ("/measurements/", "empty")),
    lesion("a concept of 257 characters", {"measurements": {"x" * 257: "1 mm"}}, ("/measurements", "length")),
    lesion("a concept on two lines", {"measurements": {"x\ny": "1 mm"}}, ("/measurements/x\ny", "line-break")),
    lesion("a descriptor without answer", {"descriptors": {"T1": []}}, ("/descriptors/T1", "empty")),
    lesion("an empty answer", {"descriptors": {"T1": [""]}}, ("/descriptors/T1/0", "empty")),
    *[
        changed(f"an issuer {oid}", "/patient/issuer", f"urn:oid:{oid}", "uid")
        for oid in ("1.2.03", "1.2.", "", "3.1", "1.2.a")
    ],
    changed("an image that is nowhere", "/lesions/0/measurements/0/image", "1.2.3.4.99", "image"),
]
