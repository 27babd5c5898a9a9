"""Keys with values, deadlines and counters."""

from __future__ import annotations

import asyncio
from typing import Any

from synap_sdk import SynapClient
from synap_sdk.exceptions import SynapException

from .check import Watched, refused, same

# Texts that are no JSON come back as they are; everything else goes through JSON.
VALUES: list[Any] = [
    "plain text",
    "",
    'Käse ☃ \n "quoted" \\',
    "x" * 1_000_000,
    {"a": [1, 2.5, None, True], "ü": {"empty": {}}},
    [],
    [1, "two"],
    42,
    -1.5,
    True,
    False,
    None,
]


async def session(client: SynapClient, kv: Watched, version: str) -> None:
    await values(kv)
    await deadlines(client, kv)
    await counters(kv)
    await scanning(kv)
    await statistics(kv)
    if version != "1.0.0":
        await watching(kv)


async def values(kv: Watched) -> None:
    for at, value in enumerate(VALUES):
        same(await kv.set(f"value:{at}", value), None)
    for at, value in enumerate(VALUES):
        same(await kv.get(f"value:{at}"), value)
        same(await kv.exists(f"value:{at}"), True)
    await kv.set("value:0", "another")
    same(await kv.get("value:0"), "another")
    same(await kv.delete("value:0"), None)
    same(await kv.get("value:0"), None)
    same(await kv.exists("value:0"), False)
    await kv.delete("value:0")
    await refused(kv.set("", "x"), "INVALID_PAYLOAD", "Invalid field")
    await refused(kv.get("k" * 4097), "INVALID_PAYLOAD", "must be at most 4096 bytes")


async def deadlines(client: SynapClient, kv: Watched) -> None:
    async def left(key: str) -> Any:
        return (await client.send_command("kv.ttl", {"key": key}))["ttl"]

    await kv.set("long", "x", ttl=3600)
    same(await left("long"), 3600)
    await kv.set("long", "x")
    same(await left("long"), None)
    await kv.set("brief", "x", ttl=1)
    same(await kv.get("brief"), "x")
    await asyncio.sleep(1.2)
    same(await kv.get("brief"), None)
    same(await kv.exists("brief"), False)
    await refused(kv.set("never", "x", ttl=0), "INVALID_PAYLOAD", "Invalid field")
    same(await kv.exists("never"), False)


async def counters(kv: Watched) -> None:
    same(await kv.incr("n"), 1)
    same(await kv.incr("n", 5), 6)
    same(await kv.incr("n", delta=-10), -4)
    same(await kv.incr("n", 0), -4)
    same(await kv.decr("n"), -5)
    same(await kv.decr("n", 5), -10)
    same(await kv.get("n"), -10)
    same(await kv.decr("below"), -1)
    # The client stores numbers as texts of digits; they count.
    await kv.set("digits", 41)
    same(await kv.incr("digits"), 42)
    await kv.set("word", "abc")
    await refused(kv.incr("word"), "INVALID_PAYLOAD", "is not an integer")
    same(await kv.get("word"), "abc")
    await kv.set("most", 2**63 - 1)
    await refused(kv.incr("most"), "INVALID_PAYLOAD", "Increment would overflow")
    same(await kv.get("most"), 2**63 - 1)
    # None is lost when many count at once.
    results = await asyncio.gather(*(kv.incr("together") for _ in range(100)))
    same(sorted(results), list(range(1, 101)))


async def scanning(kv: Watched) -> None:
    keys = [f"scan:{n:03}" for n in range(120)]
    await asyncio.gather(*(kv.set(key, "x") for key in keys))
    same(await kv.scan("scan:", limit=1000), keys)
    same(await kv.scan("scan:"), keys[:100])
    same(await kv.scan("scan:11", limit=3), ["scan:110", "scan:111", "scan:112"])
    same(await kv.scan("none:"), [])


async def statistics(kv: Watched) -> None:
    stats = await kv.stats()
    same(stats["total_keys"], len(await kv.scan("", limit=10_000)))
    assert stats["total_memory_bytes"] > 1_000_000, stats
    operations = stats["operations"]
    assert operations["sets"] >= 130 and operations["dels"] >= 1, stats
    same(operations["gets"], operations["hits"] + operations["misses"])
    assert 0 < stats["hit_rate"] < 1, stats


async def watching(kv: Watched) -> None:
    """Over HTTP the client refuses by itself."""
    try:
        async for _ in kv.watch("user:*"):
            break
    except SynapException as error:
        assert "/kv/ws" in str(error), error
    else:
        raise AssertionError("watching over HTTP")
