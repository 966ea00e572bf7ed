"""Everything dnnbridge raises.

    DnnbridgeError
    ├── SpecError (ValueError)            a spec has a wrong, missing or unknown field
    ├── ShapeError (ValueError)           shapes do not fit, found while a graph is built
    ├── DataError (ValueError)            an array given to a run has a wrong shape or value
    ├── DTypeError (TypeError)            an array or value has a wrong type
    ├── ArgumentError (TypeError)         a call has an unknown, missing or surplus argument
    ├── CheckpointError (ValueError)      a file is not a dnnbridge checkpoint, or does not fit
    ├── FileError (OSError)               the system cannot write a file or make a folder
    ├── ConversionError (ValueError)      a framework's file or object cannot be read or written
    ├── RunError (RuntimeError)           a run cannot do what was asked, or not at this time
    ├── NonFiniteError (ArithmeticError)  a loss or a weight became infinite or NaN
    ├── ScheduleError (ValueError)        a value given to a schedule function is out of range
    ├── ScheduleTypeError (TypeError)     a value given to a schedule function has a wrong type
    ├── StateError (RuntimeError)         a run was stopped while its arrays were being changed
    ├── BackendError (RuntimeError)       a backend or device cannot be used
    │   ├── DeviceError                   a device has a wrong name, or is not there
    │   └── UnsupportedError              the backend does not know an operation
    │       └── DeclaredLimitationError   it says itself that it lacks the operation
    └── PackageNotInstalledError (ImportError)
        └── BackendNotInstalledError      the framework of a backend is missing

Every message says where, what is wrong, what was given and what to do.
"""

from __future__ import annotations


class DnnbridgeError(Exception):
    """Base of all errors of dnnbridge.

    Args:
        what: the rule that was broken.
        where: layer path, field or argument; empty when there is no better place than the call.
        got: what was given.
        hint: what to do, a full sentence.

    Example:
        >>> print(ShapeError("Dense needs rank >= 2", where="model/dense", got="shape (32,)"))
        model/dense: Dense needs rank >= 2, got shape (32,).
    """

    def __init__(self, what: str, *, where: str = "", got: str = "", hint: str = "") -> None:
        self.what, self.where, self.got, self.hint = what, where, got, hint
        message = (f"{where}: " if where else "") + what + (f", got {got}" if got else "")
        super().__init__(message + "." + (f" {hint}" if hint else ""))

    def at(self, where: str) -> DnnbridgeError:
        """Return the same error with `where` put in front of its place."""
        place = where + self.where if self.where.startswith(("[", ".")) else where
        if self.where and place == where:
            place = f"{where}.{self.where}"
        return self.placed(place)

    def placed(self, where: str) -> DnnbridgeError:
        """Return the same error with another place."""
        return type(self)(self.what, where=where, got=self.got, hint=self.hint)


class SpecError(DnnbridgeError, ValueError): ...


class ShapeError(DnnbridgeError, ValueError): ...


class DataError(DnnbridgeError, ValueError): ...


class DTypeError(DnnbridgeError, TypeError): ...


class ArgumentError(DnnbridgeError, TypeError): ...


class CheckpointError(DnnbridgeError, ValueError): ...


class FileError(DnnbridgeError, OSError):
    """The system cannot write a file or make a folder.

    Args:
        errno: the number of the system's error, as in `OSError`.
    """

    def __init__(
        self, what: str, *, where: str = "", got: str = "", hint: str = "", errno: int | None = None
    ) -> None:
        super().__init__(what, where=where, got=got, hint=hint)
        self.errno = errno

    def placed(self, where: str) -> FileError:
        return FileError(self.what, where=where, got=self.got, hint=self.hint, errno=self.errno)


class ConversionError(DnnbridgeError, ValueError): ...


class RunError(DnnbridgeError, RuntimeError): ...


class NonFiniteError(DnnbridgeError, ArithmeticError):
    """A loss or a weight became infinite or NaN.

    Args:
        step: number of the step, counted from 1 over the life of the run.
    """

    def __init__(
        self, what: str, *, where: str = "", got: str = "", hint: str = "", step: int = 0
    ) -> None:
        self.step = step
        super().__init__(what, where=where, got=got, hint=hint)

    def placed(self, where: str) -> NonFiniteError:
        return NonFiniteError(self.what, where=where, got=self.got, hint=self.hint, step=self.step)


class ScheduleError(DnnbridgeError, ValueError): ...


class ScheduleTypeError(DnnbridgeError, TypeError): ...


class StateError(DnnbridgeError, RuntimeError): ...


class BackendError(DnnbridgeError, RuntimeError): ...


class DeviceError(BackendError): ...


class UnsupportedError(BackendError): ...


class DeclaredLimitationError(UnsupportedError): ...


class PackageNotInstalledError(DnnbridgeError, ImportError): ...


class BackendNotInstalledError(PackageNotInstalledError): ...
