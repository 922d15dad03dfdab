"""C-STORE: transfer syntaxes, statuses, TLS and commitment, with peers that do as they are told."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pynetdicom import AE, build_role, evt
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_primitives import N_EVENT_REPORT

from service.delivery.cstore import CStoreDestination, transcoded
from service.delivery.destination import Outcome, Outgoing
from service.delivery.dicom_content import differences, read
from service.delivery.dimse import DEFLATED, EXPLICIT, IMPLICIT, SOP_CLASSES, TRANSFER_SYNTAXES
from service.delivery.policy import Timeouts
from service.delivery.settings import CStore, ServerTls, Tls
from service.delivery.statuses import DIMSE
from tests.certificates import Authority
from tests.conftest import Missing
from tests.contract.benches import sr
from tests.faults import faulty
from tests.oracles import servers
from tests.oracles.complaint import NotInstalled

SR_CLASS = "1.2.840.10008.5.1.4.1.1.88.22"
PUSH = "1.2.840.10008.1.20.1"
PATIENCE_S = 60.0
Handler = Callable[[Any], Any]


@contextmanager
def peer(contexts: dict[str, list[str]], *handlers: tuple[Any, Handler], tls: Any = None) -> Iterator[int]:
    """A peer of pynetdicom's; the port that it listens on."""
    entity = AE(ae_title="PEER")
    entity.require_called_aet = True
    for abstract, syntaxes in contexts.items():
        entity.add_supported_context(abstract, syntaxes)
    port = servers.free_port()
    server = entity.start_server(("127.0.0.1", port), block=False, evt_handlers=list(handlers), ssl_context=tls)
    assert server is not None
    try:
        yield port
    finally:
        server.shutdown()


def answering(status: int) -> Handler:
    """A handler that answers with a status."""
    return lambda _: status


def destination(port: int, **settings: Any) -> CStoreDestination:
    told: dict[str, Any] = {"called": "PEER", "timeouts": Timeouts(30, 30, 60), "commitment_s": 30.0, **settings}
    return CStoreDestination(CStore(name="pacs", host="127.0.0.1", port=port, **told))


@pytest.mark.parametrize("syntax", TRANSFER_SYNTAXES)
def test_stores_the_same_in_the_transfer_syntax_that_the_archive_takes(syntax: str) -> None:
    outgoing, held = sr(1), []

    def store(event: Any) -> int:
        held.append((str(event.context.transfer_syntax), event.encoded_dataset()))
        return 0

    with peer({SR_CLASS: [syntax]}, (evt.EVT_C_STORE, store)) as port:
        assert destination(port).send(outgoing).outcome is Outcome.STORED
    assert held[0][0] == syntax
    assert str(read(held[0][1]).file_meta.TransferSyntaxUID) == syntax
    assert differences(outgoing.content, held[0][1]) == ()


def test_sends_the_bytes_as_they_are_where_it_may() -> None:
    outgoing = sr(1)
    held: list[bytes] = []

    def store(event: Any) -> int:
        held.append(event.request.DataSet.getvalue())
        return 0

    with peer(
        {SR_CLASS: [IMPLICIT, EXPLICIT, DEFLATED]},
        (evt.EVT_C_STORE, store),
    ) as port:
        destination(port).send(outgoing)
    assert outgoing.content.endswith(held[0])


@pytest.mark.parametrize("first", TRANSFER_SYNTAXES)
@pytest.mark.parametrize("second", TRANSFER_SYNTAXES)
def test_any_transfer_syntax_becomes_any_other(first: str, second: str) -> None:
    content = sr(1).content
    made = BytesIO()
    transcoded(transcoded(read(content), first), second).save_as(made)
    assert dcmread(BytesIO(made.getvalue())).file_meta.TransferSyntaxUID == second
    assert differences(content, made.getvalue()) == ()


@pytest.mark.parametrize("row", DIMSE, ids=lambda row: f"{row.first:04X}")
def test_every_status_means_what_the_table_says(row: Any) -> None:
    for status in {row.first, row.last}:
        with peer({SR_CLASS: [EXPLICIT]}, (evt.EVT_C_STORE, answering(status))) as port:
            answer = destination(port).send(sr(1))
        assert answer.outcome is row.outcome
        assert answer.status == f"{status:04X}"
        assert status == 0 or row.meaning in answer.reason


def test_every_row_of_the_statuses_names_its_clause() -> None:
    assert [row for row in DIMSE if "(PS3." not in row.meaning] == []


def test_a_class_that_is_not_taken_is_refused() -> None:
    with peer({"1.2.840.10008.5.1.4.1.1.7": [EXPLICIT], "1.2.840.10008.1.1": [IMPLICIT]}) as port:
        assert destination(port).send(sr(1)).outcome is Outcome.REFUSED
        echoes = destination(port).probe()
    assert echoes[0].passed
    assert not any(echo.passed for echo in echoes[1:])


def test_a_title_that_is_not_known_is_told_in_words() -> None:
    with peer({SR_CLASS: [EXPLICIT], "1.2.840.10008.1.1": [IMPLICIT]}) as port:
        answer = destination(port, called="OTHER").send(sr(1))
        echo = destination(port, called="OTHER").probe()[0]
    assert answer.outcome is Outcome.NOT_SENT
    assert "AE title" in answer.reason
    assert "AE title" in echo.said


def test_the_probe_names_each_class_that_is_taken() -> None:
    taken = {SR_CLASS: [IMPLICIT], "1.2.840.10008.1.1": [IMPLICIT]}
    with peer(taken) as port:
        echoes = destination(port, verify="none").probe()
    assert {echo.tried: echo.passed for echo in echoes} == {
        "C-ECHO is answered": True,
        **{f"{name} is taken": uid == SR_CLASS for uid, name in SOP_CLASSES.items()},
    }


def test_a_peer_that_hangs_up_before_it_answers_leaves_it_open() -> None:
    def abort(event: Any) -> int:
        event.assoc.abort()
        return 0

    with peer({SR_CLASS: [EXPLICIT]}, (evt.EVT_C_STORE, abort)) as port:
        assert destination(port).send(sr(1)).outcome is Outcome.UNKNOWN


def test_a_peer_that_does_not_answer_is_not_waited_for() -> None:
    over = threading.Event()
    with peer({SR_CLASS: [EXPLICIT]}, (evt.EVT_C_STORE, lambda _: over.wait(60) and 0)) as port:
        answer = destination(port, timeouts=Timeouts(1, 1, 2)).send(sr(1))
        over.set()
    assert answer.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("way", ["drop", "reset", "hang", "answer"])
def test_who_does_not_speak_dicom_got_nothing(way: str) -> None:
    with faulty() as server:
        server.way, server.answer = way, b"SSH-2.0-OpenSSH\r\n" * 10
        answer = destination(server.port, timeouts=Timeouts(1, 1, 2)).send(sr(1))
    assert answer.outcome is Outcome.NOT_SENT


def test_refuses_what_is_no_dicom_object() -> None:
    assert destination(1).send(Outgoing("d", "text/html", b"", "x")).outcome is Outcome.REFUSED
    assert destination(1).send(Outgoing("d", "application/dicom", b"x", "x", sr(1).sr)).outcome is Outcome.REFUSED


def reports_on(event: Any, answers: SimpleQueue[str], *, failed: int | None) -> None:
    """Report a commitment on the association that asked for it."""
    content = Dataset()
    content.TransactionUID = event.action_information.TransactionUID
    item = event.action_information.ReferencedSOPSequence[0]
    if failed is None:
        content.ReferencedSOPSequence = [item]
    else:
        item.FailureReason = failed
        content.FailedSOPSequence = [item]
    told, _ = event.assoc.send_n_event_report(content, 1 if failed is None else 2, PUSH, f"{PUSH}.1")
    answers.put(f"{told.Status:04X}")


@pytest.mark.parametrize(
    ("failed", "outcome"),
    [
        (None, Outcome.VERIFIED),
        (0x0110, Outcome.UNKNOWN),
        (0x0112, Outcome.NOT_SENT),
        (0x0119, Outcome.MISMATCH),
        (0x0122, Outcome.REFUSED),
        (0x0213, Outcome.BUSY),
    ],
)
def test_a_commitment_may_be_reported_on_our_association(failed: int | None, outcome: Outcome) -> None:
    answers = SimpleQueue[str]()

    def act(event: Any) -> tuple[int, None]:
        threading.Timer(0.2, reports_on, (event, answers), {"failed": failed}).start()
        return 0, None

    with peer({PUSH: [EXPLICIT, IMPLICIT]}, (evt.EVT_N_ACTION, act)) as port:
        answer = destination(port).verify(sr(1))
        assert answers.get(timeout=PATIENCE_S) == "0000"
    assert answer.outcome is outcome, answer


def test_a_commitment_that_is_not_reported_is_asked_for_again() -> None:
    with peer({PUSH: [EXPLICIT]}, (evt.EVT_N_ACTION, lambda _: (0, None))) as port:
        assert destination(port, commitment_s=0.3).verify(sr(1)).outcome is Outcome.UNKNOWN


def report(port: int, transaction: str, item: Dataset, tls: Any = None, *, failed: int | None = None) -> int:
    """Report a commitment on an association of the archive's own; the status of the answer."""
    content = Dataset()
    content.TransactionUID = transaction
    if failed is None:
        content.ReferencedSOPSequence = [item]
    else:
        item.FailureReason = failed
        content.FailedSOPSequence = [item]
    entity = AE(ae_title="PEER")
    entity.add_requested_context(PUSH)
    own: list[Any] = [build_role(PUSH, scu_role=False, scp_role=True)]
    made = entity.associate("127.0.0.1", port, ae_title="LESIONBRIDGE", ext_neg=own, tls_args=tls)
    assert made.is_established
    told, _ = made.send_n_event_report(content, 1 if failed is None else 2, PUSH, f"{PUSH}.1")
    made.release()
    return int(told.Status)


def asked_in(event: Any) -> tuple[str, Dataset]:
    """Transaction and object of a request for commitment."""
    return str(event.action_information.TransactionUID), event.action_information.ReferencedSOPSequence[0]


def test_a_report_of_commitment_may_come_over_tls_on_an_association_of_the_archives_own(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, "other")
    ours, theirs = authority.identity("ours", "127.0.0.1"), authority.identity("theirs", "theirs")
    port, answers = servers.free_port(), SimpleQueue[Any]()

    def act(event: Any) -> tuple[int, None]:
        transaction, item = asked_in(event)

        def tell() -> None:
            stranger = ssl.create_default_context(cafile=str(authority.certificate))
            entity = AE(ae_title="PEER")
            entity.add_requested_context(PUSH)
            answers.put(entity.associate("127.0.0.1", port, tls_args=(stranger, "127.0.0.1")).is_established)
            stranger.load_cert_chain(theirs.certificate, theirs.key)
            answers.put(report(port, transaction, item, (stranger, "127.0.0.1")))

        threading.Timer(0.1, tell).start()
        return 0, None

    tls = ServerTls(str(ours.certificate), str(ours.key), str(authority.certificate))
    with peer({PUSH: [EXPLICIT, IMPLICIT]}, (evt.EVT_N_ACTION, act)) as at:
        told = {"commitment_port": port, "commitment_host": "127.0.0.1", "commitment_s": 30.0}
        assert destination(at, commitment_tls=tls, **told).verify(sr(1)).outcome is Outcome.VERIFIED
        assert [answers.get(timeout=PATIENCE_S) for _ in range(2)] == [False, 0]
        unreadable = ServerTls(str(other.certificate), str(ours.key))
        answer = destination(at, commitment_tls=unreadable, **told).verify(sr(1))
    assert (answer.outcome, "commitment_tls.key_file: " in answer.reason) == (Outcome.UNKNOWN, True)
    assert "is not the key of" in answer.reason


@pytest.mark.parametrize("is_ours", [True, False], ids=["on our association", "on its own"])
def test_a_report_of_commitment_is_answered_before_the_association_ends(
    monkeypatch: pytest.MonkeyPatch, *, is_ours: bool
) -> None:
    port, answers, send = servers.free_port(), SimpleQueue[str](), DIMSEServiceProvider.send_msg

    def sends_late(provider: DIMSEServiceProvider, primitive: Any, context_id: int) -> None:
        if isinstance(primitive, N_EVENT_REPORT) and primitive.MessageIDBeingRespondedTo is not None:
            time.sleep(0.8)  # on a busy machine the thread that answers comes late
        send(provider, primitive, context_id)

    def act(event: Any) -> tuple[int, None]:
        transaction, item = asked_in(event)
        ways: list[Callable[[], None]] = [
            lambda: answers.put(f"{report(port, transaction, item):04X}"),
            lambda: reports_on(event, answers, failed=None),
        ]
        threading.Timer(0.1, ways[is_ours]).start()
        return 0, None

    monkeypatch.setattr(DIMSEServiceProvider, "send_msg", sends_late)
    with peer({PUSH: [EXPLICIT, IMPLICIT]}, (evt.EVT_N_ACTION, act)) as at:
        told = {"commitment_port": port, "commitment_host": "127.0.0.1"}
        assert destination(at, **told).verify(sr(1)).outcome is Outcome.VERIFIED
        assert answers.get(timeout=PATIENCE_S) == "0000"


@pytest.mark.parametrize(("failed", "outcome"), [(None, Outcome.VERIFIED), (0x0112, Outcome.UNKNOWN)])
def test_a_commitment_that_is_reported_late_counts_for_the_next_question(failed: int | None, outcome: Outcome) -> None:
    port, asked, answers = servers.free_port(), list[tuple[str, Dataset]](), list[int]()

    def act(event: Any) -> tuple[int, None]:
        asked.append(asked_in(event))
        if len(asked) > 1:  # what it was asked first is reported now, on an association of its own
            answers.append(report(port, *asked[0], failed=failed))
        return 0, None

    with peer({PUSH: [EXPLICIT, IMPLICIT]}, (evt.EVT_N_ACTION, act)) as at:
        told = {"commitment_port": port, "commitment_host": "127.0.0.1"}
        first = destination(at, **{**told, "commitment_s": 0.1}).verify(sr(1))
        answer = destination(at, **{**told, "commitment_s": 30.0 if failed is None else 0.1}).verify(sr(1))
    assert (first.outcome, answer.outcome) == (Outcome.UNKNOWN, outcome)
    assert answers == [0]


def test_a_commitment_that_is_reported_between_two_questions_is_kept() -> None:
    port, asked, answers = servers.free_port(), list[tuple[str, Dataset]](), list[int]()

    def act(event: Any) -> tuple[int, None]:
        asked.append(asked_in(event))
        if len(asked) == 2:  # while another object is asked for
            answers.append(report(port, *asked[0]))
        return 0, None

    with peer({PUSH: [EXPLICIT, IMPLICIT]}, (evt.EVT_N_ACTION, act)) as at:
        told = {"commitment_port": port, "commitment_host": "127.0.0.1"}
        pacs = destination(at, **told, commitment_s=0.1)
        assert pacs.verify(sr(1)).outcome is Outcome.UNKNOWN
        assert destination(at, **told, commitment_s=0.1).verify(sr(2)).outcome is Outcome.UNKNOWN
        assert pacs.verify(sr(1)).outcome is Outcome.VERIFIED
        assert pacs.verify(sr(2)).outcome is Outcome.UNKNOWN
    assert answers == [0]
    assert len(asked) == 3


def test_a_commitment_that_is_refused_is_no_verdict_on_the_object() -> None:
    with peer({PUSH: [EXPLICIT]}, (evt.EVT_N_ACTION, lambda _: (0x0110, None))) as port:
        answer = destination(port).verify(sr(1))
    assert answer.outcome is Outcome.UNKNOWN
    assert "0110" in answer.reason


@pytest.mark.oracle("storescp")
def test_tls_with_our_own_certificate(tmp_path: Path, missing: Missing) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, "other")
    server, me = authority.identity("server", "127.0.0.1"), authority.identity("me")
    options = ["+tls", str(server.key), str(server.certificate), "+cf", str(authority.certificate), "+xa"]
    mine = Tls(str(authority.certificate), str(me.certificate), str(me.key))
    try:
        with servers.storescp(*options) as scp:
            for tls, outcome in (
                (mine, Outcome.STORED),
                (Tls(str(other.certificate), str(me.certificate), str(me.key)), Outcome.NOT_SENT),
                (Tls(str(authority.certificate)), Outcome.NOT_SENT),
                (None, Outcome.NOT_SENT),
            ):
                answer = destination(scp.port, called="STORESCP", tls=tls).send(sr(1))
                assert answer.outcome is outcome, (tls, answer)
            assert scp.count() == 1
    except NotInstalled as error:
        missing.skip("storescp", str(error))


@pytest.mark.oracle("storescp")
@pytest.mark.parametrize("option", ["+xi", "+xe", "+xd"])
def test_dcmtk_takes_each_transfer_syntax(option: str, missing: Missing) -> None:
    try:
        with servers.storescp(option) as scp:
            assert destination(scp.port, called="STORESCP").send(sr(1)).outcome is Outcome.STORED
            held = next(path for path in scp.folder.iterdir()).read_bytes()
    except NotInstalled as error:
        missing.skip("storescp", str(error))
        raise
    assert differences(sr(1).content, held) == ()
