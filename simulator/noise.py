"""Stateless noise: equal seed, stream and index always give the same number."""

from functools import lru_cache
import hashlib
import math

_MASK = (1 << 64) - 1
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


@lru_cache(maxsize=4096)
def _stream(seed: int, name: str) -> int:
    return int.from_bytes(
        hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=8).digest()
    )


def _mix(value: int) -> int:
    # The finaliser of splitmix64: a few multiplications per number, far cheaper than a hash object.
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def uniform(seed: int, name: str, index: int) -> float:
    """Return a number in [0, 1)."""
    return _mix(_stream(seed, name) ^ _mix(index & _MASK)) / (_MASK + 1)


def signed(seed: int, name: str, index: int) -> float:
    """Return a number in [-1, 1)."""
    return 2 * uniform(seed, name, index) - 1


def smooth(seed: int, name: str, position: float) -> float:
    """Return a number in [0, 1) that changes smoothly with the position: random at whole numbers, eased in between."""
    knot = math.floor(position)
    share = position - knot
    share = share * share * (3 - 2 * share)
    return (1 - share) * uniform(seed, name, knot) + share * uniform(
        seed, name, knot + 1
    )


def word(seed: int, name: str, length: int, alphabet: str = _ALPHABET) -> str:
    """Return a text of random characters, stable by seed and name."""
    return "".join(
        alphabet[int(uniform(seed, name, index) * len(alphabet))]
        for index in range(length)
    )


def identifier(prefix: str, seed: int, name: str) -> str:
    """Return an id such as `sub_rocbrf1u5e48mm0reeqoag90`, stable by seed and name."""
    return f"{prefix}_{word(seed, f'{prefix}:{name}', 24)}"
