"""Rooms."""

from __future__ import annotations

import json
import time
from typing import Any

from synap_sdk import SynapClient
from synap_sdk.types import StreamEvent

from .check import Watched, refused, same

DATA: list[Any] = ["text", {"user": "alice", "n": [1, None]}, 7, None, "Käse ☃"]


async def session(client: SynapClient, streams: Watched, version: str) -> None:
    same(await streams.create_room("room"), None)
    await refused(streams.create_room("room"), "ROOM_EXISTS", "Room already exists: room")
    same(await streams.read("room"), [])
    for at, data in enumerate(DATA):
        same(await streams.publish("room", f"kind {at}", data), at + 1)
    events = await streams.read("room")
    same([event.offset for event in events], [1, 2, 3, 4, 5])
    for at, (event, data) in enumerate(zip(events, DATA)):
        check(event, at, data)
    same(await streams.read("room", 4), events[3:])
    same(await streams.read("room", offset=6), [])

    stats = await streams.stats("room")
    same((stats["message_count"], stats["min_offset"], stats["max_offset"]), (5, 1, 5))
    same((stats["room"], stats["name"], stats["total_published"], stats["dropped"]), ("room", "room", 5, 0))
    await retention(streams)
    await managing(streams)


def check(event: StreamEvent, at: int, data: Any) -> None:
    same((event.offset, event.event, event.room), (at + 1, f"kind {at}", "room"))
    same(json.loads(bytes(event.data)), data)
    assert abs(event.timestamp - time.time()) < 600, event


async def retention(streams: Watched) -> None:
    same(await streams.get_or_create_room("small", max_events=3), True)
    same(await streams.get_or_create_room("small", max_events=9), False)
    for n in range(5):
        await streams.publish("small", "n", n)
    same([event.offset for event in await streams.read("small")], [3, 4, 5])
    same([event.offset for event in await streams.read("small", 4)], [4, 5])
    await refused(streams.read("small", 2), "OFFSET_OUT_OF_RANGE", "earliest retained offset is 3")
    stats = await streams.stats("small")
    same((stats["message_count"], stats["min_offset"], stats["max_offset"], stats["dropped"]), (3, 3, 5, 2))


async def managing(streams: Watched) -> None:
    same(await streams.publish("made by it", "first", {}), 1)
    same(await streams.list_rooms(), ["made by it", "room", "small"])
    same(await streams.delete_room("small"), None)
    await refused(streams.delete_room("small"), "ROOM_NOT_FOUND", "Room not found: small")
    await refused(streams.read("small"), "ROOM_NOT_FOUND", "Room not found: small")
    await refused(streams.stats("small"), "ROOM_NOT_FOUND", "Room not found: small")
    same(await streams.list_rooms(), ["made by it", "room"])
    # A new room of the name begins anew.
    same(await streams.get_or_create_room("small"), True)
    same(await streams.publish("small", "n", 0), 1)
