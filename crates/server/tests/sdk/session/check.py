"""What every part of the session says about what it got."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from synap_sdk.exceptions import SynapException


def same(got: Any, want: Any) -> None:
    """Equal and of one type: 1 is not True, and 1.0 is not 1."""
    assert type(got) is type(want) and got == want, f"got {got!r}, want {want!r}"


def alike(got: list[Any], want: list[Any]) -> None:
    """The same elements, whatever their order."""
    same(sorted(got), sorted(want))


async def refused(call: Awaitable[Any], code: str, message: str = "") -> None:
    """The server refuses with this code, and what the client raises shows it."""
    try:
        got = await call
    except SynapException as error:
        assert f"'code': '{code}'" in str(error) and message in str(error), f"{error}, want {code} {message!r}"
    else:
        raise AssertionError(f"got {got!r}, want the refusal {code}")


class Watched:
    """A manager of the client that remembers which of its methods were called."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager
        self._called: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self._called.add(name)
        return getattr(self._manager, name)

    def not_called(self) -> set[str]:
        """Public methods that nobody called."""
        kind = type(self._manager)
        methods = {name for name in vars(kind) if not name.startswith("_") and callable(getattr(kind, name))}
        assert methods, f"{kind.__name__} has no methods"
        return methods - self._called
