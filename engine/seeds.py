"""Seeds as a pure function of what they are for, so that resuming or re-ordering work changes nothing."""

import hashlib

SEARCH_PURPOSES = frozenset({"image", "variations", "mutations", "random"})


DRAWS = 1 << 20
"""Draws that one measurement of a prompt may take, with all that are added to it later."""


def draw_index(measurement: int, draw: int) -> int:
    """Return the index of one draw of a prompt: no two measurements of it share any, however they grow.

    Args:
        measurement: how often the prompt was measured before.
        draw: number of the draw within this measurement, from 0.
    """
    return measurement * DRAWS + draw


def derive_seed(session_seed: int, purpose: str, prompt: str, index: int) -> int:
    """Return the seed of one draw.

    Search purposes get even seeds and every other purpose (confirmation) odd ones, so that the two
    can never share a draw.

    Args:
        session_seed: the session's master seed.
        purpose: what the draw is for, for example ``"image"`` or ``"confirm"``.
        prompt: the prompt drawn for, exactly as stored; empty where there is none.
        index: number of the draw within (purpose, prompt), from 0.

    Returns:
        An integer in 0 … 2**32 - 1, the range that diffusers, llama.cpp and other front ends share.
    """
    material = f"{session_seed}\x1f{purpose}\x1f{index}\x1f{prompt}".encode("utf-8", "surrogatepass")
    number = int.from_bytes(hashlib.blake2b(material, digest_size=4).digest(), "little")
    return number & ~1 if purpose in SEARCH_PURPOSES else number | 1
