"""The Helm chart, rendered by Helm's own library and held by Kubernetes' schemas; the alerts, by a reader of PromQL."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import click
import pytest

from service.cli import main
from service.config import Settings, environment_names
from service.delivery.settings_file import load
from service.domain.limits import Limits
from tests import image

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy" / "helm" / "lesionbridge"
RULES = ROOT / "deploy" / "prometheus" / "rules.yml"
JUDGE = ROOT / "tests" / "oracles" / "python" / "judge_chart.py"
DESTINATIONS = (ROOT / "deploy" / "compose" / "destinations.toml").read_text(encoding="utf-8")
RECEIVING = (ROOT / "deploy" / "compose" / "receiving.toml").read_text(encoding="utf-8")
DIGEST = "sha256:" + "0" * 64
ISSUERS = 'key,uri,oid,source\nnorth,urn:oid:1.2.3.4.5,1.2.3.4.5,"the site\'s own, in Köln"\n'
FULL = {
    "image": {"repository": "registry.example.org/lesionbridge", "digest": DIGEST},
    "destinations": DESTINATIONS,
    "destinationsSecret": "lesionbridge-destinations",
    "migrationsSecret": "lesionbridge-owner",
    "files": {"issuers.csv": ISSUERS},
    "settings": {
        "issuers_file": "/etc/lesionbridge-site/issuers.csv",
        "access": "required",
        "audit": True,
        "keep_days": 365,
        "limits": {"body_bytes": 16777216},
    },
    "api": {"autoscaling": {"enabled": True}, "nodeSelector": {"disk": "fast"}},
    "worker": {"autoscaling": {"enabled": True}, "ports": [11112]},
    "receiving": RECEIVING,
    "listener": {
        "enabled": True,
        "tlsSecret": "lesionbridge-listener",
        "inboxClaim": "inbox",
        "service": {"type": "LoadBalancer"},
    },
    "networkPolicy": {
        "senders": [{"ipBlock": {"cidr": "10.1.0.0/16"}}],
        "clients": [{"namespaceSelector": {}}],
        "monitoring": [{"podSelector": {"matchLabels": {"a": "b"}}}],
    },
}
REFUSED: list[dict[str, Any]] = [
    {"settings": {"database_url": "postgresql://lesionbridge:secret@database/lesionbridge"}},
    {"settingsSecret": ""},
    {"worker": {"replica": 2}},
    {"image": {"digest": "latest"}},
    {"settings": {"timeout_s": 60.5}},
    {"settings": {"limit": {"lesions": 5000}}},
    {"settings": {"limits": {"lesions": "many"}}},
    {"worker": {"ports": [11113, 11113]}},
    {"files": {"site/issuers.csv": ISSUERS}},
    {"files": {"issuers.csv": ["north"]}},
    {"listener": {"enabled": True}},
    {"listener": {"enabled": True, "ports": {"dicom": 0, "hl7": 0}}, "receiving": "[sites.north]\n"},
    {"listener": {"enabled": True, "ports": {"dicom": 104}}, "receiving": RECEIVING},
]
FOLDER_ONLY: dict[str, Any] = {
    "listener": {"enabled": True, "ports": {"dicom": 0, "hl7": 0}, "inboxClaim": "inbox"},
    "receiving": '[listen.folder]\npath = "/srv/inbox"\n',
}
SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
OF_THE_CHART = set(SCHEMA["properties"]["settings"]["propertyNames"]["not"]["enum"])
"""Settings that the chart itself says, or that are secrets."""
EVERY: dict[str, Any] = {
    "settings": {one.name: getattr(Settings(), one.name) for one in fields(Settings) if one.name not in OF_THE_CHART}
    | {"limits": asdict(Limits())}
}
NO_MIGRATIONS: dict[str, Any] = {"migrations": {"enabled": False}}
TAKEN: list[dict[str, Any]] = [{}, FULL, FOLDER_ONLY, NO_MIGRATIONS, EVERY]


@pytest.fixture(scope="module")
def judged() -> list[dict[str, Any]]:
    """What the judge said, once it was asked."""
    return []


@pytest.fixture
def said(oracle: Callable[[str], Path], judged: list[dict[str, Any]]) -> dict[str, Any]:
    """What the judge says of the chart with each set of values, and of the alerts."""
    python = oracle("helm/bin/python")
    if not judged:
        command = [str(part) for part in (python, JUDGE, CHART, RULES)]
        done = subprocess.run(
            command, input=json.dumps(TAKEN + REFUSED), capture_output=True, text=True, timeout=120, check=True
        )
        judged.append(json.loads(done.stdout))
    return judged[0]


@pytest.fixture
def documents(said: dict[str, Any]) -> list[dict[str, Any]]:
    """The documents of the chart with all that it can have."""
    found: list[dict[str, Any]] = said["rendered"][TAKEN.index(FULL)]["documents"]
    return found


def _pods(documents: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for document in documents:
        if document["kind"] in ("Deployment", "Job"):
            yield document, document["spec"]["template"]


def test_helm_and_kubernetes_find_nothing_wrong(said: dict[str, Any]) -> None:
    assert said["lint"] == []
    for taken in said["rendered"][: len(TAKEN)]:
        assert taken.get("refused") is None
        assert taken["complaints"] == []


def test_a_secret_among_the_settings_and_a_misspelt_value_are_refused(said: dict[str, Any]) -> None:
    assert [bool(one.get("refused")) for one in said["rendered"][len(TAKEN) :]] == [True] * len(REFUSED)


def test_every_alert_can_be_read(said: dict[str, Any]) -> None:
    assert said["rules"] == []


def test_there_is_all_that_a_deployment_needs(said: dict[str, Any], documents: list[dict[str, Any]]) -> None:
    kinds = sorted((one["kind"], one["metadata"]["name"].removeprefix("try-lesionbridge")) for one in documents)
    assert kinds == [
        ("ConfigMap", "-destinations"),
        ("ConfigMap", "-receiving"),
        ("ConfigMap", "-site"),
        ("Deployment", "-api"),
        ("Deployment", "-listener"),
        ("Deployment", "-worker"),
        ("HorizontalPodAutoscaler", "-api"),
        ("HorizontalPodAutoscaler", "-worker"),
        ("Job", "-migrations"),
        ("NetworkPolicy", "-api"),
        ("NetworkPolicy", "-listener"),
        ("NetworkPolicy", "-migrations"),
        ("NetworkPolicy", "-worker"),
        ("PodDisruptionBudget", "-api"),
        ("PodDisruptionBudget", "-listener"),
        ("PodDisruptionBudget", "-worker"),
        ("Service", ""),
        ("Service", "-listener"),
    ]
    plain = {(one["kind"], one["metadata"]["name"]) for one in said["rendered"][TAKEN.index({})]["documents"]}
    assert ("Deployment", "try-lesionbridge-worker") in plain
    assert not {kind for kind, _ in plain} & {"ConfigMap", "HorizontalPodAutoscaler"}
    assert not {name for _, name in plain if "listener" in name}


def test_no_pod_is_root_or_writes_its_image_or_is_told_of_the_cluster(documents: list[dict[str, Any]]) -> None:
    for _, template in _pods(documents):
        pod = template["spec"]
        assert pod["automountServiceAccountToken"] is False
        # Else a service `lesionbridge` is LESIONBRIDGE_PORT=tcp://... in each pod: a setting that can't be used.
        assert pod["enableServiceLinks"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert container["image"].endswith(DIGEST)
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}
            assert container["resources"]["limits"]["memory"]


def test_every_setting_and_command_of_the_pods_exists(documents: list[dict[str, Any]]) -> None:
    known = set(environment_names())
    for _, template in _pods(documents):
        for container in template["spec"]["containers"]:
            names = [one["name"] for one in container["env"]]
            assert set(names) <= known
            assert len(names) == len(set(names))
            assert all(isinstance(one["value"], str) for one in container["env"])
            name, *options = container["args"]
            command = main.get_command(click.Context(main), name)
            assert command is not None
            options = [option for option in options if option.startswith("--")]
            offered = {text for one in command.params if isinstance(one, click.Option) for text in one.opts}
            assert set(options) <= offered


def test_values_and_the_secret_reach_the_program_as_its_settings(
    documents: list[dict[str, Any]], tmp_path: Path
) -> None:
    from service.config import load as settings

    secret = tmp_path / "settings.toml"
    secret.write_text('database_url = "postgresql+psycopg://lesionbridge@database/lesionbridge"\n', encoding="utf-8")

    (api,) = (template for document, template in _pods(documents) if document["metadata"]["name"].endswith("-api"))
    environment = image.environment()
    environment |= {one["name"]: one["value"] for one in api["spec"]["containers"][0]["env"]}
    assert environment["LESIONBRIDGE_CONFIG"] == "/run/secrets/settings/settings.toml"
    environment["LESIONBRIDGE_CONFIG"] = str(secret)

    here = settings(environment)

    assert here.issuers_file == "/etc/lesionbridge-site/issuers.csv"
    assert here.database_url == "postgresql+psycopg://lesionbridge@database/lesionbridge"
    assert (here.access, here.audit, here.keep_days, here.limits.body_bytes) == ("required", True, 365, 16777216)
    assert (here.deliver_inside, here.migrate, here.workers) == (False, False, 2)


def test_every_setting_that_the_chart_does_not_say_itself_may_be_said(said: dict[str, Any]) -> None:
    from service.config import load as settings

    found = said["rendered"][TAKEN.index(EVERY)]["documents"]
    (api,) = (template for document, template in _pods(found) if document["metadata"]["name"].endswith("-api"))
    environment = {one["name"]: one["value"] for one in api["spec"]["containers"][0]["env"]}
    del environment["LESIONBRIDGE_CONFIG"]

    here = settings(environment)

    assert here.limits == Limits()
    for name in EVERY["settings"]:
        assert getattr(here, name) == getattr(Settings(), name), name


def test_the_destinations_come_through_unchanged(documents: list[dict[str, Any]], tmp_path: Path) -> None:
    (kept,) = (one for one in documents if "destinations.toml" in one.get("data", {}))
    file = tmp_path / "destinations.toml"
    file.write_text(kept["data"]["destinations.toml"], encoding="utf-8")

    assert kept["data"]["destinations.toml"].strip() == DESTINATIONS.strip()
    assert list(load(str(file), {})) == ["pacs"]


def test_a_file_that_a_setting_names_is_where_it_says_in_every_process(documents: list[dict[str, Any]]) -> None:
    named = {(one["kind"], one["metadata"]["name"].removeprefix("try-lesionbridge")): one for one in documents}
    assert named["ConfigMap", "-site"]["data"] == {"issuers.csv": ISSUERS}
    for name in ("-api", "-worker", "-listener"):
        pod = named["Deployment", name]["spec"]["template"]["spec"]
        (volume,) = (one["name"] for one in pod["volumes"] if one.get("configMap") == {"name": "try-lesionbridge-site"})
        (container,) = pod["containers"]
        assert {one["mountPath"] for one in container["volumeMounts"] if one["name"] == volume} == {
            "/etc/lesionbridge-site"
        }


def test_the_listener_opens_what_the_file_listens_to_and_nobody_else_reaches_it(
    documents: list[dict[str, Any]], tmp_path: Path
) -> None:
    from service.receiving.settings import load as receiving

    named = {(one["kind"], one["metadata"]["name"].removeprefix("try-lesionbridge")): one for one in documents}
    file, sent = tmp_path / "receiving.toml", tmp_path / "destinations.toml"
    file.write_text(named["ConfigMap", "-receiving"]["data"]["receiving.toml"], encoding="utf-8")
    sent.write_text(DESTINATIONS, encoding="utf-8")
    here = receiving(str(file), load(str(sent), {}))
    assert here.dicom is not None
    assert here.hl7 is not None
    wanted = {here.dicom.port, here.hl7.port}

    (container,) = named["Deployment", "-listener"]["spec"]["template"]["spec"]["containers"]
    opened = {one["name"]: one["containerPort"] for one in container["ports"]}
    assert wanted == {opened["dicom"], opened["hl7"]}
    (name,) = (one["value"] for one in container["env"] if one["name"] == "LESIONBRIDGE_RECEIVING_FILE")
    assert Path(name).parent in {Path(one["mountPath"]) for one in container["volumeMounts"]}
    assert {one["port"] for one in named["Service", "-listener"]["spec"]["ports"]} == wanted
    counters, doors = named["NetworkPolicy", "-listener"]["spec"]["ingress"]
    assert {one["port"] for one in doors["ports"]} == wanted
    assert doors["from"] == [{"ipBlock": {"cidr": "10.1.0.0/16"}}]
    assert [one["port"] for one in counters["ports"]] == [opened["metrics"]]


def test_a_listener_of_a_folder_alone_opens_no_door(said: dict[str, Any]) -> None:
    found = said["rendered"][TAKEN.index(FOLDER_ONLY)]["documents"]
    assert [one["kind"] for one in found if one["metadata"]["name"].endswith("-listener")].count("Service") == 0
    (policy,) = (
        one for one in found if one["kind"] == "NetworkPolicy" and one["metadata"]["name"].endswith("-listener")
    )
    assert [one["ports"] for one in policy["spec"]["ingress"]] == [[{"protocol": "TCP", "port": 9090}]]


def test_every_volume_that_is_mounted_is_there_and_the_other_way_round(documents: list[dict[str, Any]]) -> None:
    for _, template in _pods(documents):
        pod = template["spec"]
        mounted = {mount["name"] for container in pod["containers"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}


def test_what_selects_pods_selects_some_and_what_scales_scales_something(documents: list[dict[str, Any]]) -> None:
    labels = [template["metadata"]["labels"] for _, template in _pods(documents)]
    names = {one["metadata"]["name"] for one in documents if one["kind"] == "Deployment"}
    for one in documents:
        spec = one.get("spec", {})
        if one["kind"] == "HorizontalPodAutoscaler":
            assert spec["scaleTargetRef"]["name"] in names
        chosen = {"NetworkPolicy": "podSelector", "PodDisruptionBudget": "selector", "Deployment": "selector"}
        wanted = spec[chosen[one["kind"]]]["matchLabels"] if one["kind"] in chosen else None
        wanted = spec["selector"] if one["kind"] == "Service" else wanted
        if wanted is not None:
            assert sum(wanted.items() <= have.items() for have in labels) == 1


def test_a_pod_has_the_time_to_end_that_the_program_takes(documents: list[dict[str, Any]]) -> None:
    from service.commands import listen, serve, worker

    needed = {
        "-api": serve.GRACE_S + worker.GRACE_S,
        "-worker": worker.GRACE_S + 10,
        "-listener": listen.GRACE_S + 10,
    }
    for document, template in _pods(documents):
        name = document["metadata"]["name"].removeprefix("try-lesionbridge")
        if name in needed:
            assert template["spec"]["terminationGracePeriodSeconds"] > needed[name]


def test_migrations_come_before_all_else(documents: list[dict[str, Any]]) -> None:
    (job,) = (one for one in documents if one["kind"] == "Job")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["args"] == ["migrate"]
    # What the hook needs must be there before the release is: secrets only.
    assert all("configMap" not in volume for volume in job["spec"]["template"]["spec"]["volumes"])
    assert job["spec"]["template"]["spec"]["volumes"][0]["secret"]["secretName"] == "lesionbridge-owner"


def test_the_migrations_may_reach_the_database_before_they_run(documents: list[dict[str, Any]]) -> None:
    named = {(one["kind"], one["metadata"]["name"].removeprefix("try-lesionbridge")): one for one in documents}
    policy, job = (named[kind, "-migrations"]["metadata"]["annotations"] for kind in ("NetworkPolicy", "Job"))
    assert policy["helm.sh/hook"] == job["helm.sh/hook"]
    assert policy["helm.sh/hook-delete-policy"] == job["helm.sh/hook-delete-policy"]
    assert int(policy["helm.sh/hook-weight"]) < int(job["helm.sh/hook-weight"])


def test_no_policy_is_left_where_migrations_run_elsewhere(said: dict[str, Any]) -> None:
    found = said["rendered"][TAKEN.index(NO_MIGRATIONS)]["documents"]
    assert [one["kind"] for one in found if one["metadata"]["name"].endswith("-migrations")] == []


def test_a_service_whose_threads_all_wait_for_the_database_is_not_started_anew(documents: list[dict[str, Any]]) -> None:
    (api,) = (template for document, template in _pods(documents) if document["metadata"]["name"].endswith("-api"))
    (container,) = api["spec"]["containers"]
    assert "httpGet" not in container["livenessProbe"]
    assert container["livenessProbe"]["tcpSocket"] == {"port": "http"}
    assert container["readinessProbe"]["httpGet"]["path"] == "/health/ready"


def test_the_workers_scale_with_the_depth_of_the_queue(documents: list[dict[str, Any]]) -> None:
    from service.api import delivery_health

    (scaler,) = (
        one
        for one in documents
        if one["kind"] == "HorizontalPodAutoscaler" and one["metadata"]["name"].endswith("worker")
    )
    (metric,) = scaler["spec"]["metrics"]
    assert metric["external"]["metric"]["name"] in Path(delivery_health.__file__).read_text(encoding="utf-8")
