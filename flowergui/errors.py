"""The one road for errors: what went wrong and what to do, written for the user."""

from typing import Any, Self

from flowergui.text import sentences


class FlowerError(Exception):
    """An error that the user can understand and correct.

    `message` is one sentence that says what went wrong. `hint` is one that says what to do; it
    may be empty. `option` names the command-line option that would do it ("--photos"); only the
    command line shows it. The window shows `message` and `hint`. Any other exception is a defect
    of the program and is shown as one.
    """

    def __init__(self, message: str, *, hint: str = "", option: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint
        self.option = option

    def __str__(self) -> str:
        return sentences(self.message, self.hint)

    def __reduce__(self) -> tuple[Any, ...]:
        """How it is pickled for another process: as it is, not by what `__init__` takes."""
        return type(self)._restored, (self.args, self.__dict__)

    @classmethod
    def _restored(cls, args: tuple[Any, ...], state: dict[str, Any]) -> Self:
        error = cls.__new__(cls, *args)
        error.__dict__.update(state)
        return error


class OtherArchitectureError(FlowerError):
    """A file holds weights of another architecture: `model` in the catalogue; "" if unknown."""

    def __init__(self, message: str, *, hint: str = "", model: str = "") -> None:
        super().__init__(message, hint=hint)
        self.model = model
