"""Many small items in a form that Python's garbage collector need not follow.

A month of quarter-hours is thousands of objects. While they are in use, the collector counts them among those that
last, and the sooner goes through the whole of Home Assistant's memory, which stops everything for some tenths of a
second. It stops following tuples of numbers and times at its first pass.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import starmap
from typing import Any, override


@dataclass(frozen=True, slots=True, eq=False)
class Packed[T](Sequence[T]):
    """A sequence that keeps its items as plain tuples, and makes an item whenever one is read.

    Equal to any sequence of equal items.

    Attributes:
        make: Makes an item of its parts.
        rows: The parts of each item: numbers, texts, times, None; nothing that could hold something else.
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
        return Packed(self.make, found) if is_part else self.make(*found)

    @override
    def __iter__(self) -> Iterator[T]:
        return starmap(self.make, self.rows)

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)


@dataclass(frozen=True, slots=True, eq=False)
class PackedMapping[K, V](Mapping[K, V]):
    """A mapping that keeps its values in the same way."""

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
