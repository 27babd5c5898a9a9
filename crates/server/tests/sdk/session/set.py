"""Sets."""

from __future__ import annotations

from synap_sdk import SynapClient

from .check import Watched, alike, refused, same


async def session(client: SynapClient, sets: Watched, version: str) -> None:
    same(await sets.add("s", "a", "b", "c"), 3)
    same(await sets.add("s", "c", "d", "d"), 1)
    same(await sets.card("s"), 4)
    alike(await sets.members("s"), ["a", "b", "c", "d"])
    same(await sets.is_member("s", "a"), True)
    same(await sets.is_member("s", "z"), False)
    same(await sets.is_member("none", "z"), False)
    same(await sets.rem("s", "d", "z"), 1)
    same(await sets.card("s"), 3)

    await algebra(sets)
    await drawing(client, sets)
    await refused(sets.members("none"), "KEY_NOT_FOUND", "Key not found: none")
    await refused(sets.card("none"), "KEY_NOT_FOUND", "Key not found: none")
    await refused(sets.pop("none"), "KEY_NOT_FOUND", "Key not found: none")
    await refused(sets.rand_member("none"), "KEY_NOT_FOUND", "Key not found: none")


async def algebra(sets: Watched) -> None:
    await sets.add("t", "b", "c", "x")
    alike(await sets.inter("s", "t"), ["b", "c"])
    alike(await sets.union("s", "t"), ["a", "b", "c", "x"])
    alike(await sets.diff("s", "t"), ["a"])
    same(await sets.inter("s", "none"), [])
    alike(await sets.union("s", "none"), ["a", "b", "c"])
    alike(await sets.diff("s", "none"), ["a", "b", "c"])
    same(await sets.inter_store("stored", "s", "t"), 2)
    alike(await sets.members("stored"), ["b", "c"])
    same(await sets.union_store("stored", "s", "t"), 4)
    alike(await sets.members("stored"), ["a", "b", "c", "x"])
    same(await sets.diff_store("stored", "s", "t"), 1)
    alike(await sets.members("stored"), ["a"])
    same(await sets.inter_store("stored", "s", "none"), 0)
    await refused(sets.members("stored"), "KEY_NOT_FOUND")
    same(await sets.move("s", "moved", "a"), True)
    same(await sets.move("s", "moved", "a"), False)
    same(await sets.members("moved"), ["a"])
    alike(await sets.members("s"), ["b", "c"])


async def drawing(client: SynapClient, sets: Watched) -> None:
    members = {f"m{n}" for n in range(20)}
    await sets.add("draw", *members)
    assert set(await sets.rand_member("draw")) <= members
    drawn = await sets.rand_member("draw", 5)
    assert len(set(drawn)) == len(drawn) == 5 and set(drawn) <= members, drawn
    alike(await sets.rand_member("draw", 100), list(members))
    same(await sets.card("draw"), 20)
    taken = await sets.pop("draw") + await sets.pop("draw", 4)
    assert len(set(taken)) == len(taken) == 5 and set(taken) <= members, taken
    alike(await sets.members("draw"), list(members - set(taken)))
    alike(await sets.pop("draw", 100), list(members - set(taken)))
    same(await client.kv.exists("draw"), False)
