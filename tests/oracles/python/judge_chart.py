"""judge_chart.py CHART RULES < VALUES: what Helm, Kubernetes' schemas and a reader of PromQL say, as JSON.

VALUES is a list of sets of values; for each the rendered documents come back, or why it was refused. Helm is Helm's
own library.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import helm_python as helm
import kubernetes_validate
import promql_parser
import yaml

KUBERNETES = ("1.25.0", "1.37.0")
"""The oldest that the chart is for, and the newest that there are schemas of."""
_WARNING = 2


def rendered(chart: Path, values: dict[str, Any]) -> dict[str, Any]:
    """The documents of a chart with these values, and what the schemas say against them."""
    try:
        with helm.Chart.load(chart) as loaded:
            loaded.validate_schema(values)
            files = loaded.render(values, name="try", namespace="imaging")
    except helm.HelmError as error:
        return {"refused": str(error)}
    documents, complaints = [], []
    for name, text in sorted(files.items()):
        for document in yaml.safe_load_all(text) if name.endswith(".yaml") else ():
            if document is None:
                continue
            documents.append(document)
            for release in KUBERNETES:
                try:
                    kubernetes_validate.validate(document, release, strict=True)
                except kubernetes_validate.ValidationError as error:
                    complaints.append(f"{name} {document['kind']} {release}: {error.message}")
    return {"documents": documents, "complaints": complaints}


def linted(chart: Path, values: dict[str, Any]) -> list[str]:
    """What `helm lint` would warn of."""
    report = helm.lint(chart, values)
    told = [f"{one['path']}: {one['error']}" for one in report["messages"] if one["severity"] >= _WARNING]
    return [*told, *report["errors"]]


def unreadable(rules: Path) -> list[str]:
    """Expressions of alerts and records that are no PromQL."""
    told = []
    for group in yaml.safe_load(rules.read_text(encoding="utf-8"))["groups"]:
        for rule in group["rules"]:
            try:
                promql_parser.parse(rule["expr"])
            except ValueError as error:
                told.append(f"{rule.get('alert') or rule['record']}: {error}")
    return told


def main() -> None:
    """Read the sets of values, print what was found."""
    chart, rules = Path(sys.argv[1]), Path(sys.argv[2])
    sets = json.load(sys.stdin)
    found = {
        "rendered": [rendered(chart, values) for values in sets],
        "lint": [line for values in sets[:1] for line in linted(chart, values)],
        "rules": unreadable(rules),
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
