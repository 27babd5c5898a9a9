"""Sorted sets, as other clients of the family spell their commands."""

from __future__ import annotations

from typing import Any

from synap_sdk import SynapClient

from .check import refused, same


async def session(client: SynapClient) -> None:
    async def z(operation: str, key: str = "z:lb", **payload: Any) -> Any:
        return await client.send_command(f"sortedset.{operation}", {"key": key, **payload})

    def scored(*pairs: tuple[str, float]) -> list[dict[str, Any]]:
        return [{"member": member, "score": score} for member, score in pairs]

    added = await z("zadd", members=scored(("a", 1.5), ("b", 2), ("c", 3)))
    same((added["added"], added["changed"]), (3, 0))
    added = await z("zadd", member="a", score=1)
    same((added["added"], added["changed"]), (0, 1))
    same((await z("zscore", member="a"))["score"], 1.0)
    same((await z("zscore", member="none"))["score"], None)
    same((await z("zrank", member="c"))["rank"], 2)
    same((await z("zrevrank", member="c"))["rank"], 0)
    same((await z("zrank", member="none"))["rank"], None)
    same((await z("zcard"))["count"], 3)
    same((await z("zcard", "z:none"))["count"], 0)
    same((await z("zcount", min=2, max="+inf"))["count"], 2)
    same((await z("zincrby", member="a", increment=4))["score"], 5.0)

    order = scored(("b", 2.0), ("c", 3.0), ("a", 5.0))
    same((await z("zrange", start=0, stop=-1, withscores=False))["members"], order)
    same((await z("zrevrange", start=0, stop=0))["members"], order[:1:-1])
    same((await z("zrangebyscore", min=2, max=3))["members"], order[:2])
    same((await z("zmscore", members=["a", "none"]))["scores"], [5.0, None])

    other = await z("zadd", "z:other", members=scored(("a", 10), ("x", 1)))
    same(other["added"], 2)
    stored = {"destination": "z:stored", "keys": ["z:lb", "z:other"]}
    same((await client.send_command("sortedset.zinterstore", stored))["count"], 1)
    same((await z("zrange", "z:stored"))["members"], scored(("a", 15.0)))
    weighted = {**stored, "weights": [2, 1], "aggregate": "max"}
    same((await client.send_command("sortedset.zunionstore", weighted))["count"], 4)
    same((await z("zrange", "z:stored"))["members"], scored(("x", 1.0), ("b", 4.0), ("c", 6.0), ("a", 10.0)))
    same((await client.send_command("sortedset.zdiffstore", stored))["count"], 2)

    popped = await z("zpopmin")
    same((popped["members"], popped["count"]), (order[:1], 1))
    popped = await z("zpopmax", count=5)
    same((popped["members"], popped["count"]), (order[:0:-1], 2))
    same(await client.kv.exists("z:lb"), False)

    await z("zadd", "z:many", members=scored(*((f"m{n}", n) for n in range(10))))
    same((await z("zrem", "z:many", members=["m0", "none"]))["removed"], 1)
    same((await z("zremrangebyrank", "z:many", start=0, stop=1))["removed"], 2)
    same((await z("zremrangebyscore", "z:many", min=8, max=9))["removed"], 2)
    same((await z("zcard", "z:many"))["count"], 5)
    stats = await client.send_command("sortedset.stats")
    same((stats["total_keys"], stats["total_members"]), (3, 9))
    await refused(z("zadd", member="a", score="high"), "INVALID_PAYLOAD")
