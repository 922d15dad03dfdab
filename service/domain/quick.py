"""Frozen data classes of which a report holds hundreds, made in a third of the time; and what stays of Python."""

from dataclasses import MISSING, FrozenInstanceError, field, fields, make_dataclass
from inspect import Parameter, signature
from types import new_class
from typing import Any, NoReturn, TypeVar

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


_DECLARED = ("__dataclass_fields__", "__dataclass_params__", "__match_args__", "__eq__", "__hash__", "__repr__")
"""What a data class has beside its ``__init__`` and what keeps it from changing."""


def data_class(cls: type[C]) -> type[C]:
    """Make a frozen data class of a class with slots and an ``__init__`` that fills them; ``where`` is not compared.

    For generic ones, which mypyc makes native only where no decorator is on them. Said below the class: it is the same
    class after it. In Python it is made as `quickly_made` does it.
    """
    members = [
        (
            one.name,
            one.annotation if one.annotation is not Parameter.empty else Any,
            field(default=MISSING if one.default is Parameter.empty else one.default, compare=one.name != "where"),
        )
        for one in signature(cls).parameters.values()
    ]
    declared = make_dataclass(cls.__name__, members, frozen=True)
    for name in _DECLARED:
        setattr(cls, name, declared.__dict__[name])
    for name, method in (("__setattr__", _refuse), ("__delattr__", _refuse), ("__reduce__", _reduced)):
        setattr(cls, name, method)
    return quickly_made(cls)


def _refuse(self: object, name: str, value: object = None) -> NoReturn:  # noqa: ARG001 - as `setattr` calls it
    raise FrozenInstanceError(f"cannot change {name!r}")


def _reduced(self: Any) -> tuple[type, tuple[object, ...]]:
    return type(self), tuple([getattr(self, one.name) for one in fields(self)])


def interpreted(cls: type[C]) -> type[C]:
    """A class that stays one of Python's where its module is compiled.

    Some subclass what no native class can (a string, a field of marshmallow); others are frozen data classes that stay
    as `dataclasses` made them, slots and all. The compiler (mypyc) makes native classes of all but those with a
    decorator that it does not know; this one does nothing else.
    """
    return cls
