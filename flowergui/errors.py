"""The one road for errors: what went wrong and what to do, written for the user."""


class FlowerError(Exception):
    """Something the user can understand and mend.

    `message` is one sentence that says what went wrong; `hint` is one that says what to do
    (it may be empty). Faces show both: the window in its banner, the command line on stderr.
    Anything that is not a FlowerError is a defect of ours and is shown as one.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()
