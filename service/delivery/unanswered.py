"""Commands that pynetdicom would leave without an answer, so that who sent them waits for its own time-out.

It drops a request that lacks what it has to have, takes a command that comes in place of an announced data set for a
part of the one before, and its thread ends over a command that can't be read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydicom import Dataset

Lacks = Callable[[Any, Any], "Dataset | None"]
"""The status of the answer to a request of an association that lacks something; None: there is no answer to it."""


def guard(association: Any, ended: Callable[[str], None]) -> None:
    """Abort an association over a command that is none, in a handler of ``EVT_CONN_OPEN``; ``ended`` is told why."""
    dimse = association.dimse
    take = dimse.receive_primitive

    def taken(primitive: Any) -> None:
        try:
            if not _is_in_turn(dimse.message, primitive):
                raise ValueError("a command in place of a data set")
            take(primitive)
        except Exception:  # noqa: BLE001 - whatever pynetdicom makes of somebody's bytes, the peer hears of it
            ended("a command can't be read")
            association.dul.event_queue.put("Evt19")  # an invalid PDU (PS3.8 9.2, AA-8)

    dimse.receive_primitive = taken


def answer(event: Any, lacks: Lacks, ended: Callable[[str], None]) -> None:
    """Answer a request that lacks something, in a handler of ``EVT_DIMSE_RECV``, or abort its association."""
    request = event.message.message_to_primitive()
    # Nobody waits for an answer to one, or to a C-CANCEL, which names its request so, too (PS3.7 9.3.2.3).
    if request.MessageIDBeingRespondedTo is not None or getattr(request, "is_valid_request", False):
        return
    association, context = event.assoc, event.message.context_id
    accepted = {one.context_id for one in association.accepted_contexts}
    has_id = getattr(request, "MessageID", None) is not None  # a C-CANCEL of pynetdicom knows none
    status = lacks(association, request) if has_id and context in accepted else None
    if status is None:
        ended("a command lacks what it has to have")
        association.dul.event_queue.put("Evt19")
        return
    association.dimse.send_msg(_response(request, status), context)


def _is_in_turn(message: Any, primitive: Any) -> bool:
    """Whether no command comes after one whose data set is still to come (PS3.7 6.3)."""
    is_whole = message is not None and bool(message.command_set)
    for _, value in primitive.presentation_data_value_list:
        is_command, is_last = value[0] & 1, value[0] & 2  # PS3.8 E.2
        if is_command and is_whole:
            return False
        is_whole = is_whole or bool(is_command and is_last)
    return True


def _response(request: Any, status: Dataset) -> Any:
    """A response of the kind of the request, which repeats what that says of the object (PS3.7 9.1.1.1)."""
    made = type(request)()
    made.MessageIDBeingRespondedTo = request.MessageID
    made.AffectedSOPClassUID = request.AffectedSOPClassUID
    made.AffectedSOPInstanceUID = request.AffectedSOPInstanceUID
    for element in status:
        setattr(made, element.keyword, element.value)
    return made
