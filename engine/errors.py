"""What the engine says when it cannot go on: one sentence for a person, one exit code for a script."""


class MineGapError(Exception):
    """Base of every error whose message is meant for the user.

    The message is one sentence that names the thing, the value and the remedy.
    """

    exit_code = 3


class InputError(MineGapError):
    """The user's input (configuration, flag, prompt, model path) cannot be used; exit code 2."""

    exit_code = 2


class MachineError(MineGapError):
    """A model or the machine failed (memory, disk, a worker's death); exit code 3."""

    exit_code = 3


class FreshProcessError(MachineError):
    """The device or a library is in no usable state any more: only a new process can go on."""
