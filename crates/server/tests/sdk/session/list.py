"""Lists."""

from __future__ import annotations

from synap_sdk import SynapClient

from .check import Watched, refused, same


async def session(client: SynapClient, lists: Watched, version: str) -> None:
    same(await lists.rpush("l", "b", "c"), 2)
    same(await lists.lpush("l", "a"), 3)
    same(await lists.range("l"), ["a", "b", "c"])
    same(await lists.lpush("l", "y", "x"), 5)
    same(await lists.range("l"), ["x", "y", "a", "b", "c"])
    same(await lists.range("l", 1, 2), ["y", "a"])
    same(await lists.range("l", -2, -1), ["b", "c"])
    same(await lists.range("l", 7, 9), [])
    same(await lists.len("l"), 5)
    same(await lists.len("none"), 0)
    same(await lists.index("l", 0), "x")
    same(await lists.index("l", -1), "c")

    same(await lists.set("l", 1, "Y"), True)
    same(await lists.set("l", -1, "C"), True)
    same(await lists.range("l"), ["x", "Y", "a", "b", "C"])
    await refused(lists.index("l", 5), "INDEX_OUT_OF_RANGE", "Index out of range")
    await refused(lists.set("l", -6, "z"), "INDEX_OUT_OF_RANGE", "Index out of range")

    same(await lists.insert("l", "BEFORE", "a", "before"), 6)
    same(await lists.insert("l", "AFTER", "a", "after"), 7)
    same(await lists.insert("l", "AFTER", "nobody", "z"), -1)
    same(await lists.insert("none", "AFTER", "a", "z"), 0)
    same(await lists.range("l"), ["x", "Y", "before", "a", "after", "b", "C"])
    same(await lists.trim("l", 2, -2), True)
    same(await lists.range("l"), ["before", "a", "after", "b"])

    await popping(lists)
    await searching(lists)
    await absent(client, lists)


async def popping(lists: Watched) -> None:
    await lists.rpush("pop", "1", "2", "3", "4", "5", "6")
    same(await lists.lpop("pop"), ["1"])
    same(await lists.rpop("pop"), ["6"])
    same(await lists.lpop("pop", 2), ["2", "3"])
    same(await lists.rpop("pop", count=0), [])
    same(await lists.rpop("pop", 10), ["5", "4"])
    await refused(lists.lpop("pop"), "KEY_NOT_FOUND", "Key not found: pop")

    await lists.rpush("from", "1", "2")
    same(await lists.rpoplpush("from", "to"), "2")
    same(await lists.rpoplpush("from", "to"), "1")
    same(await lists.rpoplpush("from", "to"), None)
    same(await lists.range("to"), ["1", "2"])
    same(await lists.rpoplpush("to", "to"), "2")
    same(await lists.range("to"), ["2", "1"])


async def searching(lists: Watched) -> None:
    await lists.rpush("many", "a", "b", "a", "c", "a")
    same(await lists.pos("many", "a"), 0)
    same(await lists.pos("many", "a", 2), 2)
    same(await lists.pos("many", "a", rank=-1), 4)
    same(await lists.pos("many", "a", rank=4), None)
    same(await lists.pos("many", "z"), None)
    same(await lists.rem("many", 1, "a"), 1)
    same(await lists.range("many"), ["b", "a", "c", "a"])
    same(await lists.rem("many", -1, "a"), 1)
    same(await lists.range("many"), ["b", "a", "c"])
    same(await lists.rem("many", 0, "z"), 0)
    same(await lists.rem("many", 0, "a"), 1)


async def absent(client: SynapClient, lists: Watched) -> None:
    same(await lists.lpushx("none", "a"), 0)
    same(await lists.rpushx("none", "a"), 0)
    same(await client.kv.exists("none"), False)
    same(await lists.lpushx("many", "first"), 3)
    same(await lists.rpushx("many", "last"), 4)
    same(await lists.range("many"), ["first", "b", "c", "last"])
    await refused(lists.range("none"), "KEY_NOT_FOUND", "Key not found: none")
    await refused(lists.index("none", 0), "KEY_NOT_FOUND", "Key not found: none")
    await refused(lists.rpop("none"), "KEY_NOT_FOUND", "Key not found: none")
