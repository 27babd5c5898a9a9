"""Hashes. The client sends every value as a text."""

from __future__ import annotations

from synap_sdk import SynapClient

from .check import Watched, alike, refused, same


async def session(client: SynapClient, hashes: Watched, version: str) -> None:
    same(await hashes.set("h", "name", "Alice"), True)
    same(await hashes.set("h", "name", "Bob"), True)
    same(await hashes.set("h", "age", 30), True)
    same(await hashes.get("h", "name"), "Bob")
    same(await hashes.get("h", "age"), "30")
    same(await hashes.get("h", "none"), None)
    same(await hashes.exists("h", "name"), True)
    same(await hashes.exists("h", "none"), False)
    same(await hashes.len("h"), 2)

    same(await hashes.mset("h", {"city": "Köln", "zip": 50667}), True)
    same(await hashes.mset("h", [{"field": "zip", "value": "50668"}, {"field": "", "value": "empty name"}]), True)
    everything = {"name": "Bob", "age": "30", "city": "Köln", "zip": "50668", "": "empty name"}
    same(await hashes.get_all("h"), everything)
    alike(await hashes.keys("h"), list(everything))
    alike(await hashes.values("h"), list(everything.values()))
    same(await hashes.mget("h", ["city", "none", "age"]), ["Köln", None, "30"])

    same(await hashes.incr_by("h", "age", 5), 35)
    same(await hashes.incr_by("h", "new", -2), -2)
    same(await hashes.incr_by_float("h", "age", 0.5), 35.5)
    await refused(hashes.incr_by("h", "name", 1), "INVALID_PAYLOAD", "Field value is not a valid integer")
    await refused(hashes.incr_by_float("h", "name", 1.5), "INVALID_PAYLOAD", "Field value is not a valid float")
    same(await hashes.get("h", "name"), "Bob")

    same(await hashes.set_nx("h", "name", "Carol"), False)
    same(await hashes.set_nx("h", "first", "Carol"), True)
    same(await hashes.mget("h", ["name", "first"]), ["Bob", "Carol"])

    same(await hashes.delete("h", "first"), 1)
    same(await hashes.delete("h", "first"), 0)
    same(await hashes.exists("h", "first"), False)

    await absent(client, hashes)


async def absent(client: SynapClient, hashes: Watched) -> None:
    """Reads of what is not there are empty, and a hash without fields is not there."""
    same(await hashes.get("none", "f"), None)
    same(await hashes.get_all("none"), {})
    same(await hashes.keys("none"), [])
    same(await hashes.values("none"), [])
    same(await hashes.len("none"), 0)
    same(await hashes.mget("none", ["a", "b"]), [None, None])
    same(await hashes.delete("none", "f"), 0)
    await hashes.set("gone", "f", "x")
    same(await hashes.delete("gone", "f"), 1)
    same(await client.kv.exists("gone"), False)
