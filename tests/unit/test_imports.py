"""What is not imported to serve findings: the judges, the database, the server."""

import subprocess
import sys

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
