"""What is not imported to serve findings: the judges, the database, the server."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import requests

PROGRAM = """
import sys
from service.app import create_app
from service.config import Settings
from tests.findings import make_body

app = create_app(Settings(database_url="sqlite:////nonexistent/x.sqlite3", log_level="error"))
for accept in ("application/fhir+json", "application/dicom", "text/html", "multipart/related"):
    headers = {"Content-Type": "application/json", "Accept": accept}
    assert app.test_client().post("/v1/convert", data=make_body(), headers=headers).status_code == 200
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
DEAR = {
    "highdicom",
    "pydicom",
    "numpy",
    "fhir",
    "fhir_core",
    "pydantic",
    "sqlalchemy",
    "alembic",
    "psycopg",
    "gunicorn",
    "dbos",
    "opentelemetry",
}


def test_a_conversion_imports_neither_judges_nor_database_nor_server() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert DEAR & set(done.stdout.split()) == set()


def test_the_command_line_starts_lean() -> None:
    program = "import sys, service.cli; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert (DEAR | {"flask", "marshmallow", "rich"}) & set(done.stdout.split()) == set()


NOT_TO_START = DEAR - {"sqlalchemy", "gunicorn"} | {"pynetdicom", "requests", "httpx", "joserfc", "limits"}
"""The server holds its database to be up to date before it is ready, and needs no more than that."""
MODULES_NOT_TO_START = {"rich.console", "sqlalchemy.dialects.postgresql", "sqlalchemy.ext"}


def test_the_server_imports_nothing_that_only_some_need_until_it_is_ready(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'x.sqlite3'}"
    ours = {name: said for name, said in os.environ.items() if not name.startswith("LESIONBRIDGE_")}
    environment = ours | {"LESIONBRIDGE_DATABASE_URL": url}
    subprocess.run([sys.executable, "-m", "service.cli", "migrate"], env=environment, check=True, timeout=120)
    command = [sys.executable, "-X", "importtime", "-m", "service.cli", "serve", "--port", "0", "--workers", "2"]
    log = tmp_path / "imports"
    with log.open("w") as errors:
        server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True)
        assert server.stdout is not None
        with server, server.stdout as said:
            address = re.search(r"http://\S+", said.readline())
            assert address is not None, log.read_text()
            assert requests.get(f"{address[0]}/health/ready", timeout=60).status_code == 200
            imported = log.read_text()
            server.send_signal(signal.SIGTERM)
    names = {line.rpartition("|")[2].strip() for line in imported.splitlines() if line.startswith("import time:")}
    assert "service.app" in names
    assert NOT_TO_START & {name.partition(".")[0] for name in names} == set()
    assert MODULES_NOT_TO_START & names == set()
