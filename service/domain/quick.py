"""Frozen data classes of which a report holds hundreds, made in a third of the time; and what stays of Python."""

from dataclasses import fields
from types import new_class
from typing import Any, TypeVar

C = TypeVar("C")


def quickly_made(cls: type[C]) -> type[C]:
    """A frozen, slotted data class whose ``__init__`` fills an open twin of the class and closes it then.

    A frozen class has a ``__setattr__`` of its own, which makes each assignment in it a call; the twin has the same
    slots and none. Signature, defaults and ``__post_init__`` are those of the class, and what is made is of the class.
    A native class of the compiled build stays as it is: it has no slots, and an ``__init__`` that is native, too.
    """
    twin = open_twin(cls)
    if twin is None:
        return cls
    init: Any = cls.__init__
    names = [member.name for member in fields(cls)]  # type: ignore[arg-type] # a data class
    lines = [
        f"def __init__(self, {', '.join(names)}):",
        " open_up(self, '__class__', twin)",
        *[f" self.{name} = {name}" for name in names],
        " self.__class__ = cls",
        *([" self.__post_init__()"] if hasattr(cls, "__post_init__") else []),
    ]
    scope: dict[str, Any] = {"open_up": object.__setattr__, "twin": twin, "cls": cls}
    exec("\n".join(lines), scope)  # noqa: S102 - names of members only, as `dataclasses` makes its own
    made = scope["__init__"]
    for name in ("__defaults__", "__annotations__", "__qualname__"):
        setattr(made, name, getattr(init, name))
    cls.__init__ = made  # type: ignore[method-assign] # of the same signature
    return cls


def open_twin(cls: type[C]) -> type[C] | None:
    """A class with the slots of a frozen data class, whose members can be set; None for a native class.

    An instance that is given the twin as its class, and then its own again, was open in between.
    """
    if "__slots__" not in cls.__dict__:
        return None
    bases = cls.__dict__.get("__orig_bases__", cls.__bases__)
    return new_class(cls.__name__, bases, {}, lambda scope: scope.update(__slots__=cls.__dict__["__slots__"]))


def interpreted(cls: type[C]) -> type[C]:
    """A class that stays one of Python's where its module is compiled: it subclasses what no native class can.

    A tuple, a string, a field of marshmallow. The compiler (mypyc) makes native classes of all but those with a
    decorator that it does not know; this one does nothing else.
    """
    return cls
