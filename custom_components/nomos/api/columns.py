"""Compact sequences that Python's garbage collector does not have to track.

A month of quarter-hours is thousands of objects. If they stay in use, the collector promotes them and scans the
whole of Home Assistant's memory sooner, which stops everything for tenths of a second. Tuples of numbers and times
are no longer tracked after the first collection.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import starmap
from typing import Any, override


@dataclass(frozen=True, slots=True, eq=False)
class CompactSequence[T](Sequence[T]):
    """A sequence that stores its items as plain tuples, and builds an item whenever one is read.

    Equal to any sequence of equal items.

    Attributes:
        make: Builds an item from its parts.
        rows: The parts of each item: only numbers, strings, times and None, no containers.
    """

    make: Callable[..., T]
    rows: tuple[tuple[Any, ...], ...] = ()

    @override
    def __len__(self) -> int:
        return len(self.rows)

    @override
    def __getitem__(self, index: Any) -> Any:
        found = self.rows[index]
        is_part = isinstance(index, slice)
        return CompactSequence(self.make, found) if is_part else self.make(*found)

    @override
    def __iter__(self) -> Iterator[T]:
        return starmap(self.make, self.rows)

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)


@dataclass(frozen=True, slots=True, eq=False)
class CompactMapping[K, V](Mapping[K, V]):
    """A mapping that stores its values in the same way."""

    make: Callable[..., V]
    rows: Mapping[K, tuple[Any, ...]]

    @override
    def __len__(self) -> int:
        return len(self.rows)

    @override
    def __getitem__(self, key: K) -> V:
        return self.make(*self.rows[key])

    @override
    def __iter__(self) -> Iterator[K]:
        return iter(self.rows)
