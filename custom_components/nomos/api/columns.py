"""Many small things at once, in a form that Python's garbage collector need not follow."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import starmap
from typing import Any, overload, override


@dataclass(frozen=True, slots=True, eq=False)
class Packed[T](Sequence[T]):
    """A sequence that keeps a plain tuple of its item's parts, and makes the item whenever it is looked at.

    A month of quarter-hours is thousands of objects. While they are in use, the garbage collector counts them among
    those that last, and goes through the whole of Home Assistant's memory the sooner, which stops everything for some
    tenths of a second. Tuples of numbers and times it lets go at the first look.

    Equal to any sequence of equal items.

    Attributes:
        make: Makes an item of its parts.
        rows: The parts of each item: numbers, texts, times, None; nothing that could hold something else.
    """

    make: Callable[..., T]
    rows: tuple[tuple[Any, ...], ...] = ()

    @override
    def __len__(self) -> int:
        """Return how many items there are."""
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> Packed[T]: ...

    @override
    def __getitem__(self, index: int | slice) -> T | Packed[T]:
        """Return an item, or some of them, which stay packed."""
        if isinstance(index, slice):
            return Packed(self.make, self.rows[index])
        return self.make(*self.rows[index])

    @override
    def __iter__(self) -> Iterator[T]:
        """Make one item after the other."""
        return starmap(self.make, self.rows)

    @override
    def __eq__(self, other: object) -> bool:
        """Compare with any sequence, item by item."""
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(
            one == two for one, two in zip(self, other, strict=True)
        )

    @override
    def __hash__(self) -> int:
        """Return the hash of a tuple of the items."""
        return hash(tuple(self))


@dataclass(frozen=True, slots=True, eq=False)
class PackedMapping[K, V](Mapping[K, V]):
    """A mapping whose values are kept in the same way."""

    make: Callable[..., V]
    rows: Mapping[K, tuple[Any, ...]]

    @override
    def __len__(self) -> int:
        """Return how many values there are."""
        return len(self.rows)

    @override
    def __getitem__(self, key: K) -> V:
        """Make a value."""
        return self.make(*self.rows[key])

    @override
    def __iter__(self) -> Iterator[K]:
        """Return the keys."""
        return iter(self.rows)
