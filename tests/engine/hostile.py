"""What a hostile client says, by dice: the same seed says the same again."""

from __future__ import annotations

import random

from engine import commands
from engine.wire import MAX_LINE_BYTES, encode


def hostile(dice: random.Random, session_id: str) -> bytes:
    """One thing that no client should say, or, by chance, the giving back of a lock that it does not have."""
    valid = bytearray(
        encode(commands.EditCancel(id=f"{dice.getrandbits(64):x}", session_id=session_id, candidate_id=1))
    )
    match dice.randrange(5):
        case 0:
            return dice.randbytes(dice.randrange(1, 300)) + b"\n"
        case 1:
            for _ in range(dice.randrange(1, 4)):
                valid[dice.randrange(len(valid))] = dice.randrange(256)
            return bytes(valid)
        case 2:
            return bytes(valid[: dice.randrange(1, len(valid))])
        case 3:
            return b"{" * dice.randrange(1, 5000)
    return b'{"type":"open","v":2,"id":"x","config":"' + b"x" * dice.randrange(2 * MAX_LINE_BYTES) + b'"}\n'
