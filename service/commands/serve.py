"""`lesionbridge serve` and `lesionbridge migrate`."""

import errno
import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from service.access.events import Arrival
from service.commands.counters import counters_folder
from service.commands.mounted import doubt_destinations, hold_mounted
from service.commands.speaking import mention, refusing, say, settings, stop, store
from service.commands.trail import Act, acting
from service.commands.worker import GRACE_S as DELIVERIES_GRACE_S
from service.commands.worker import Inside
from service.config import BadSetting, Settings, origin

GRACE_S = 30
"""How long requests under way may still take once the service is told to stop."""
_TRIES: Final = 5
"""How often a port that is taken is looked at, a second apart."""
_WAY_OUT: Final = {
    errno.EADDRINUSE: ": end the program that has it, or take another one (--port)",
    errno.EACCES: ": ports below 1024 are for root, take another one (--port)",
    errno.EADDRNOTAVAIL: ": this machine has no such address, take one of its own (--host)",
    socket.EAI_NONAME: ": take an address of this machine (--host)",
}
_STOPPING: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


@click.command("serve")
@click.option("--host", help="Where to listen [setting host].")
@click.option("--port", type=int, help="0 takes a free one [setting port].")
@click.option(
    "--workers", type=int, help="Processes; 0: one on SQLite, one a processor on PostgreSQL [setting workers]."
)
@refusing
def serve(**given: Any) -> None:
    """Run the service until it is stopped."""
    here = settings()
    try:
        chosen = replace(here, **{name: value for name, value in given.items() if value is not None})
    except BadSetting as error:
        raise BadSetting(error.name, error.detail, f"--{error.name}") from None
    hold_mounted(chosen)
    if chosen.deliver_inside:
        doubt_destinations(chosen)
    if chosen.access == "open" and chosen.host not in ("127.0.0.1", "::1", "localhost"):
        mention("anybody who reaches this address may do everything: set access to required (docs/access.md)")
    tls = _tls(chosen)
    _look_for_room(chosen.host, chosen.port, given)
    gc.disable()  # until all is loaded: what an import makes stays, and looking through it was a fifth of the start
    if chosen.migrate:
        _migrate(chosen, "serve")
    with counters_folder() as shared:
        if chosen.worker_count > 1:
            # Must be said before prometheus_client is imported: it picks its kind of counters then.
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = shared
        _import_structlog()
        _run(chosen, tls)


@click.command("migrate")
@click.option("--to", "step", metavar="STEP", help="An older step, to go back to an older version of the program.")
@click.option("--yes", is_flag=True, help="Go back although something is lost; without it you are asked.")
@refusing
def migrate(step: str | None, *, yes: bool) -> None:
    """Make or update the tables of the database.

    To go back to an older step loses what only the newer tables hold: what that is gets said, and you are asked. Where
    there is nobody to ask it is refused without --yes.
    """
    _migrate(settings(), "migrate", step, sure=yes)
    say("the database is up to date" if step is None else f"the database is at step {step}")


def _migrate(chosen: Settings, command: str, step: str | None = None, *, sure: bool = False) -> None:
    """Bring the tables to a step; where they were brought from another one, that stands in the trail."""
    kept = store(chosen, as_it_is=True)
    try:
        with acting(chosen, kept, Act(Arrival.MIGRATED, command)) as act:
            if step is not None and not sure and kept.is_there():
                _make_sure(step, kept.lost_with(step))
            moved = kept.migrate() if step is None else kept.migrate(step)
            act.changes = moved is not None
            if moved is not None:
                act.command = f"{command} ({moved[0] or 'no tables'} to {moved[1]})"
    finally:
        kept.close()


def _make_sure(step: str, losses: Sequence[str]) -> None:
    """Ask before something is lost; an end where the answer is no, or there is nobody to ask."""
    if not losses:
        return
    say(f"to go back to step {step} loses what only the newer tables hold; make a backup first:")
    for one in losses:
        say(f"  {one}")
    if not _can_ask():
        stop(f"nothing is changed: say `lesionbridge migrate --to {step} --yes` if that is meant")
    if not click.confirm("go back?", err=True):
        stop("nothing is changed")


def _can_ask() -> bool:
    """Whether somebody sits there."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def _import_structlog() -> None:
    """structlog without rich, which it imports where it can, for tracebacks in colours that no service shows."""
    before = sys.modules.get("rich")
    sys.modules["rich"] = None  # type: ignore[assignment]  # the import system's own word for: is not to be had
    try:
        import structlog  # noqa: F401 - imported for all who come after
    finally:
        del sys.modules["rich"]
        if before is not None:
            sys.modules["rich"] = before


def _look_for_room(host: str, port: int, given: Mapping[str, Any]) -> None:
    """End with the reason where nothing can listen there, before anything is loaded or migrated.

    A port that is taken is looked at again for as long as gunicorn would: one that ends may hold it still. ``given`` is
    what the command line says.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for left in reversed(range(_TRIES)):
        with socket.socket(family) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as gunicorn does
            try:
                tried.bind((host, port))
                tried.listen()
            except (OSError, ValueError) as error:  # of a name with a part that is empty or too long: UnicodeError
                number = getattr(error, "errno", None)
                if number == errno.EADDRINUSE and left:
                    time.sleep(1)
                    continue
                shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
                why = getattr(error, "strerror", None) or "that is no name of a host"
                place, out = f"{_said_so('host', given)}, {_said_so('port', given)}", _WAY_OUT.get(number or 0, "")
                stop(f"{place}: {shown} can't be listened to ({why}){out}")
            return


def _said_so(name: str, given: Mapping[str, Any]) -> str:
    """A setting with where it was said."""
    return f"setting {name} ({origin(name, os.environ) if given.get(name) is None else f'--{name}'})"


def _tls(chosen: Settings) -> dict[str, Any]:
    """TLS in gunicorn's words, where it is set; what the files hold is read anew for each connection."""
    if not (chosen.tls_cert or chosen.tls_key or chosen.tls_client_ca):
        return {}
    for name in ("tls_cert", "tls_key"):
        if not getattr(chosen, name):
            raise BadSetting(name, "is missing: tls_cert and tls_key come together, and tls_client_ca with both")
    from service.delivery.pem import MEMBERS, out_of_date, unusable
    from service.delivery.settings import ServerTls
    from service.delivery.trust import server_context

    found = unusable(chosen.tls_cert, chosen.tls_key, chosen.tls_client_ca)
    if found is not None:
        name = ("tls_cert", "tls_key", "tls_client_ca")[MEMBERS.index(found[0])]
        raise BadSetting(name, found[1], origin(name, os.environ))
    if late := out_of_date(chosen.tls_cert, chosen.tls_key):
        mention(f"setting tls_cert ({origin('tls_cert', os.environ)}): {late}")
    said = ServerTls(chosen.tls_cert, chosen.tls_key, chosen.tls_client_ca)
    return {
        "certfile": chosen.tls_cert,
        "keyfile": chosen.tls_key,
        "ssl_context": lambda _settings, _default: server_context(said),
    }


def _run(chosen: Settings, tls: dict[str, Any]) -> None:
    """Gunicorn with threads; the application is loaded once, before the workers are forked, so that they share it."""
    from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]  # gunicorn ships no types

    from service.api.connections import Connections
    from service.api.strays import confine
    from service.api.turns import Turns
    from service.app import create_app

    class Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
        """This application under gunicorn."""

        def load_config(self) -> None:
            """Say our settings in gunicorn's words."""
            for name, value in (_gunicorn_settings(chosen) | tls).items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            """The application, with all that is slow to import."""
            import service.store.reports  # noqa: F401 - imported before the fork, so that workers share it

            app = create_app(chosen)
            confine()
            return Connections(Turns(app) if chosen.threads > 1 else app)

    os.register_at_fork(after_in_parent=_hear)
    Server().run()


def _wait_to_hear(_server: Any, _worker: Any) -> None:
    """Put off what tells a worker to stop until it has handlers of its own and the application, loaded before the fork.

    What comes between the fork and those is taken by the handler that it has from its parent, for nobody; the parent
    says it once, and then waits as long as requests may take before it kills.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)


def _hear() -> None:
    """Take what tells to stop, and what came meanwhile."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)


def _gunicorn_settings(chosen: Settings) -> dict[str, Any]:
    from service.api.connections import begun
    from service.api.server_log import ServerLog
    from service.api.unreadable import Worker

    inside = Inside(chosen)

    def start(worker: Any) -> None:
        _hear()
        inside.start(worker)

    memory = Path("/dev/shm")  # noqa: S108 - gunicorn makes a file of its own there; a heartbeat must not wait for a disk
    return {
        "bind": [f"[{chosen.host}]:{chosen.port}" if ":" in chosen.host else f"{chosen.host}:{chosen.port}"],
        "workers": chosen.worker_count,
        "threads": chosen.threads,
        "worker_class": Worker,
        "preload_app": True,
        # Without kept connections a worker takes as many as it has threads: what waits, waits for every worker.
        "worker_connections": 1000 if chosen.keepalive_s else chosen.threads,
        "keepalive": chosen.keepalive_s,
        "timeout": chosen.timeout_s,
        "graceful_timeout": GRACE_S + DELIVERIES_GRACE_S,
        "worker_tmp_dir": str(memory) if os.access(memory, os.W_OK) else None,
        "control_socket_disable": True,
        # Gunicorn believes who comes over loopback where its path begins: it could be another than the proxy has seen.
        "forwarder_headers": "",
        "proc_name": "lesionbridge",
        "loglevel": "warning",
        "logger_class": ServerLog,
        "when_ready": _ready,
        "pre_request": begun,
        "child_exit": _gone,
        "pre_fork": _wait_to_hear,
        "post_worker_init": start,
        "worker_exit": inside.stop,
    }


def _ready(server: Any) -> None:
    """Say where it listens, with the port that was really taken, where anybody can hear it; then workers are forked."""
    settle_memory()
    said = []
    for listener in server.LISTENERS:
        host, port = listener.sock.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        scheme = "https" if server.cfg.is_ssl else "http"
        said.append(f"LesionBridge listens on {scheme}://{shown}:{port} (stop with Ctrl-C)\n")
    with suppress(OSError):
        sys.stdout.write("".join(said))
        sys.stdout.flush()


def settle_memory() -> None:
    """Take what is loaded out of the garbage collector's way: workers share its pages, and no collection walks it.

    What the imports left unreachable, some 5,000 objects of 240,000, stays with it: to look for them takes longer than
    all else that is done here. A conversion makes some thousand objects and no cycle, so young ones are looked through
    less often, too.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    gc.enable()


def _gone(server: Any, worker: Any) -> None:
    """Forget the gauges of a worker that ended, and keep its counters in one file with those of all who did before."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not folder:
        return
    import structlog
    from prometheus_client import multiprocess

    from service.api.tallies import Tallies

    try:
        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]  # the library leaves it untyped
        Tallies(Path(folder)).fold({os.getpid(), *server.WORKERS})
    except Exception as error:  # noqa: BLE001 - gunicorn ends the service over whatever leaves its hook
        # It must not end the service. The file stays, is counted as before, and folded when the next worker ends.
        structlog.get_logger().warning("counters not folded", error=type(error).__name__)
