"""`Spec`: the frozen, validated record that every part of an experiment is made of."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Self, TypeVar, cast, dataclass_transform

import pydantic
from pydantic.dataclasses import dataclass as pydantic_dataclass
from pydantic_core import core_schema

from dnnbridge.base.calling import explained
from dnnbridge.base.messages import shorten, snake_case, what
from dnnbridge.errors import DnnbridgeError, SpecError
from dnnbridge.specs.field_errors import spec_error
from dnnbridge.specs.former_names import FIELDS, present_fields, present_kind, warn_of
from dnnbridge.specs.json_types import of_kind
from dnnbridge.specs.limits import check_depth, check_text
from dnnbridge.specs.native_arguments import lacking, refused

S = TypeVar("S", bound="Spec")

_KINDS: dict[str, type[Spec]] = {}

UNKNOWN_KIND: list[Callable[[Any, str, tuple[type[Spec], str]], SpecError]] = []
"""The function that makes the error for an unknown kind. `unknown_kinds.py`, which knows the forms
of fields and so stands above this module, puts it here."""


class Spec:
    """Base of all specs: compared by value, immutable, converted to and from JSON.

    The `spec` decorator makes a final subclass and registers it under its `kind`, such as
    "layer.Dense". This is the family, named after the abstract base below `Spec`, and the class
    name. JSON uses the same kind. Names must be unique only within a family.

    The class attribute `written_if_given` names fields that were added to a class later. They are
    left out of the JSON if they have their default, so that it stays what it was before them.
    """

    written_if_given: ClassVar[tuple[str, ...]] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return a plain dictionary of JSON types; `from_dict` makes an equal spec from it."""
        later, made = self.written_if_given, {"kind": kind_of(type(self))}
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if field.name not in later or value != field.default:
                made[field.name] = encoded(value)
        return made

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Make a spec from the result of `to_dict`.

        Raises:
            SpecError: an unknown kind or field, a wrong value, or a kind that is not a `cls`.
        """
        with _of(cls):
            check_depth(data)
            made = _decode(data, "", (cls, ""))
        if not isinstance(made, cls):
            raise SpecError(
                f"expected {a_kind_of(cls)}",
                where=cls.__name__,
                got=shorten(data),
                hint='Give a dictionary with "kind" and the fields of that kind.',
            )
        return made

    def to_json(self) -> str:
        """Return `to_dict` as JSON text; floats keep every bit."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Make a spec from the result of `to_json`.

        Raises:
            SpecError: it is no JSON, longer than 64 MiB or deeper than 100 levels, or no spec.
        """
        with _of(cls):
            if isinstance(text, str):
                check_text(text)
            try:
                data = json.loads(text)
            except (TypeError, ValueError) as error:
                raise SpecError(
                    f"not JSON ({error})", got=shorten(text), hint="Write the file with to_json()."
                ) from None
            return cls.from_dict(data)

    def __init_subclass__(cls) -> None:
        # A dataclass writes a __repr__ unless the class has one.
        if "__repr__" not in vars(cls):
            cls.__repr__ = cls.__repr__  # type: ignore[method-assign]

    def __repr__(self) -> str:
        from dnnbridge.specs.showing import call_of

        return call_of(self)

    def __getattr__(self, name: str) -> Any:
        now = FIELDS.get(type(self).__name__, {}).get(name)
        if now is None or _is_foreign(type(self)):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        warn_of(f"{type(self).__name__}'s {name}", now)
        return getattr(self, now)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: pydantic.GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Let a field of another spec be annotated with the base of a family."""
        if not cls.__name__.startswith("Abstract"):
            return handler(source)
        return core_schema.no_info_plain_validator_function(cls.of_field)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: core_schema.CoreSchema, handler: pydantic.GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return dict(of_kind(cls))

    @classmethod
    def of_field(cls, value: Any) -> Self:
        """Return the spec that a value stands for in a field that is annotated with this base."""
        if isinstance(value, cls):
            return value
        raise SpecError(f"expected {a_kind_of(cls)}", got=what(value))

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed, validated like a new one."""
        return dataclasses.replace(self, **_present(type(self), changes))  # type: ignore[type-var]


@contextmanager
def _of(cls: type[Spec]) -> Iterator[None]:
    """Name the class in an error that has no place."""
    try:
        yield
    except DnnbridgeError as error:
        raise (error if error.where else error.placed(cls.__name__)) from None


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
def spec(cls: type[S]) -> type[S]:
    """Make a class with annotated fields a final spec and register it under its name.

    Example:
        >>> from dnnbridge import AbstractActivation, Input, Sequential, Activation
        >>> @spec
        ... class Cube(AbstractActivation):
        ...     scale: float = 1.0
        ...
        ...     def emit(self, scope, x):
        ...         return self.scale * x * x * x
        >>> Cube(2.0).to_dict()
        {'kind': 'activation.Cube', 'scale': 2.0}
    """
    kind = kind_of(cls)
    if missing := _abstract_methods(cls):
        raise SpecError(
            f"must define {', '.join(missing)}",
            where=kind,
            got="a class without it",
            hint="Write the method.",
        )
    for known in _KINDS.values():
        _refuse_clash(cls, known)
    config = pydantic.ConfigDict(extra="forbid", validate_default=True)
    made: Any = pydantic_dataclass(cls, frozen=True, config=config)
    made.__init__ = _plain_errors(made.__init__)
    for framework in ("keras", "mindspore"):
        method = vars(cls).get(framework)
        if isinstance(method, classmethod):
            call = explained(refused(kind, framework), f"{cls.__name__}.{framework}")
            setattr(made, framework, classmethod(call(method.__func__)))
    if any(field.name == "kind" for field in dataclasses.fields(made)):
        raise SpecError("a field must not be called kind", where=kind, hint="Rename the field.")
    _KINDS[kind] = made
    return cast(type[S], made)


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
def base_spec(*, kw_only: bool = False) -> Callable[[type[S]], type[S]]:
    """Make a class with annotated fields an abstract base of specs.

    Args:
        kw_only: whether the fields are keyword-only.
    """
    return dataclasses.dataclass(frozen=True, kw_only=kw_only)


def family_of(cls: type[Spec]) -> str:
    """Return the family of a class: "layer" for Dense, "" for a direct subclass of Spec."""
    for base in cls.__mro__:
        if Spec in base.__bases__ and base.__name__.startswith("Abstract"):
            return snake_case(base.__name__.removeprefix("Abstract"))
    return ""


def kind_of(cls: type[Spec]) -> str:
    """Return the name of a class in JSON: "layer.Dense"."""
    family = family_of(cls)
    return f"{family}.{cls.__name__}" if family else cls.__name__


def alias_of(cls: type[Spec]) -> str:
    """Return the name that stands for the class with its defaults: "relu" for ReLU."""
    return str(getattr(cls, "alias", snake_case(cls.__name__)))


def names_of(cls: type[Spec]) -> tuple[str, ...]:
    """Return all names that stand for the class: its alias, and the class attribute `synonyms`."""
    return (alias_of(cls), *getattr(cls, "synonyms", ()))


def _spellings(cls: type[Spec]) -> set[str]:
    return {name.replace("_", "").lower() for name in names_of(cls)}


def _abstract_methods(cls: type[Spec]) -> list[str]:
    return [n for n in dir(cls) if getattr(getattr(cls, n), "__isabstractmethod__", False)]


def _refuse_clash(cls: type[Spec], known: type[Spec]) -> None:
    """Raise if two classes of a family would have one kind or one name."""
    if (known.__module__, known.__qualname__) == (cls.__module__, cls.__qualname__):
        return
    same_family = family_of(known) == family_of(cls)
    shared = known.__name__ == cls.__name__ or _spellings(known) & _spellings(cls)
    if same_family and shared:
        raise SpecError(
            "two specs have the same name",
            where=kind_of(cls),
            got=f"{known.__module__}.{known.__name__} and {cls.__module__}.{cls.__name__}",
            hint="Rename one of them, or give it another alias: files refer to specs by name.",
        )


def kinds(base: type[S]) -> Iterator[type[S]]:
    """Yield every registered spec class below `base`, in order of registration."""
    return (cls for cls in _KINDS.values() if issubclass(cls, base))


def word_of(base: type[Spec]) -> str:
    """Name `base` in words: "loss scale" for AbstractLossScale."""
    return snake_case(base.__name__.removeprefix("Abstract")).replace("_", " ")


def a_kind_of(base: type[Spec]) -> str:
    """Name `base` for a message: "an activation" for AbstractActivation."""
    if not base.__name__.startswith("Abstract"):
        return f"a spec of the kind {kind_of(base)}"
    word = word_of(base)
    return ("an " if word[0] in "aeiou" else "a ") + word


def _plain_errors(init: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(init)
    def wrapped(self: Spec, /, *args: Any, **kwargs: Any) -> None:
        if "__dataclass_self__" in kwargs:  # what pydantic calls the object itself
            raise SpecError("unknown argument", where=type(self).__name__, got="__dataclass_self__")
        try:
            init(self, *args, **_present(type(self), kwargs))
        except pydantic.ValidationError as error:
            causes = [one.get("ctx", {}).get("error") for one in error.errors(include_url=False)]
            for cause in causes:
                # A ValueError from custom code is not a wrong argument: show where it arose.
                if isinstance(cause, Exception) and not isinstance(cause, DnnbridgeError):
                    raise cause from None
            advice = lacking(kind_of(type(self)))
            raise spec_error(type(self), error, advice) from None

    return wrapped


def _present(cls: type[Spec], given: dict[str, Any]) -> dict[str, Any]:
    """Return arguments under their present names; warn of former names."""
    renamed = FIELDS.get(cls.__name__)
    if renamed is None or _is_foreign(cls):
        return given
    made = present_fields(cls.__name__, given)
    for former in given.keys() - made.keys():
        warn_of(f"{cls.__name__}'s {former}", renamed[former])
    return made


def _is_foreign(cls: type[Spec]) -> bool:
    return not cls.__module__.startswith("dnnbridge.")


def encoded(value: Any) -> Any:
    """Return what JSON holds of the value of a field."""
    if isinstance(value, Spec):
        return value.to_dict()
    if isinstance(value, tuple):
        return [encoded(item) for item in value]
    return value


def _decode(value: Any, where: str, field: tuple[type[Spec], str]) -> Any:
    """Return what JSON holds, where the field of a class, or of a list in it, has this value."""
    if isinstance(value, list):
        return tuple(_decode(item, f"{where}[{i}]", field) for i, item in enumerate(value))
    if not isinstance(value, dict):
        return value
    if strange := [name for name in value if not isinstance(name, str)]:
        raise SpecError(
            "names must be texts", where=where, got=shorten(strange[0]), hint="Write JSON."
        )
    given = value.get("kind")
    kind = present_kind(given) if isinstance(given, str) else given
    cls = _KINDS.get(kind) if isinstance(kind, str) else None
    if "kind" in value and cls is None:
        raise UNKNOWN_KIND[0](kind, where, field)
    items = {
        name: _decode(item, f"{where}.{name}" if where else name, (cls, name) if cls else field)
        for name, item in value.items()
        if name != "kind"
    }
    if cls is None:
        return items
    try:
        return cls(**(items if _is_foreign(cls) else present_fields(cls.__name__, items)))
    except DnnbridgeError as error:
        raise error.at(where) if where else error from None
