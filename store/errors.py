"""What the store says when it cannot go on: one sentence for a person, one exit code for a script."""


class StoreError(Exception):
    """The store cannot be opened, read or written.

    The message is one sentence that names the thing, the value and the remedy.

    Attributes:
        exit_code: 2 where what was asked for cannot be used (a newer schema, a file that is no database, a
            text that cannot be stored), 3 where the machine failed (disk full, read-only, input/output error).
    """

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code
