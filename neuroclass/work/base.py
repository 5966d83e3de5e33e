"""What every place where work runs has in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from neuroclass.errors import WorkError
from neuroclass.work.threads import one_thread

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Died:
    """In place of a result: the item's process died each time, also when nothing else was under way.

    Attributes
    ----------
    message : str
        What was found.
    """

    message: str


def nothing_lost() -> None:
    """Take no notice of a process that died."""


class Work(ABC):
    """A place where a function is applied to many items, each on one thread.

    Results do not depend on the place: a function gets all that it needs, seeds included, from its item.

    Attributes
    ----------
    n_workers : int
        Items that are under way at once.
    """

    n_workers: int = 1

    @abstractmethod
    def as_finished(
        self, function: Callable[[Item], Result], items: Sequence[Item], lost: Callable[[], None] = nothing_lost
    ) -> Iterator[tuple[int, Result | Died]]:
        """Apply a function to items.

        Parameters
        ----------
        function : callable
            Item → result. Outside this process it must be picklable, and so must item and result.
        items : sequence
            The items; only some are handed out at a time.
        lost : callable
            Called when a process died, before its items are tried again; what it raises ends the work.

        Yields
        ------
        (int, result or Died)
            Position and result of each item, in the order in which they are finished.

        Raises
        ------
        WorkError
            If the place itself is lost.
        Exception
            What `function` raises.
        """

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        """Results in the order of the items, each as soon as it and those before it are there.

        Parameters
        ----------
        function, items
            See `as_finished`.

        Yields
        ------
        result

        Raises
        ------
        WorkError
            If an item's process dies each time, or the place itself is lost.
        Exception
            What `function` raises.
        """
        early: dict[int, Result] = {}
        following = 0
        for number, result in self.as_finished(function, items):
            early[number] = survived(result)
            while following in early:
                yield early.pop(following)
                following += 1

    def __enter__(self) -> "Work":
        """Make the place ready."""
        return self

    def __exit__(self, *_: object) -> None:  # noqa: B027 (most places need no leaving)
        """Leave it."""


def survived(result: Result | Died) -> Result:
    """A result.

    Raises
    ------
    WorkError
        If there is none, because the processes that should have computed it died.
    """
    if isinstance(result, Died):
        raise WorkError(f"{result.message} Such work mostly ran out of memory: free some, or take fewer workers.")
    return result


class Here(Work):
    """One item after the other in the process that asks."""

    def as_finished(
        self,
        function: Callable[[Item], Result],
        items: Sequence[Item],
        lost: Callable[[], None] = nothing_lost,  # noqa: ARG002 (this process is never lost alone)
    ) -> Iterator[tuple[int, Result | Died]]:
        """See `Work`."""
        for number, item in enumerate(items):
            yield number, on_one_thread(function, item)


def on_one_thread(function: Callable[[Any], Result], item: Any) -> Result:
    """Apply a function to an item on one thread."""
    with one_thread():
        return function(item)
