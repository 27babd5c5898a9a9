"""Queues."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from synap_sdk import SynapClient

from .check import Watched, alike, refused, same

MESSAGES: list[Any] = [
    "plain text",
    "",
    "Käse ☃",
    {"task": "resize", "sizes": [1, 2.5, None]},
    ["one", "two"],
    42,
    True,
]


async def session(client: SynapClient, queues: Watched, version: str) -> None:
    await bodies(queues, version)
    await order(queues)
    await acknowledging(queues)
    await retries(queues, version)
    await limits(queues, version)
    await managing(queues)


def content(payload: Any, version: str) -> Any:
    """The message a payload stands for: the first client shows its bytes as they are on the wire."""
    if version != "1.0.0":
        return payload
    text = bytes(payload).decode()
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def retried(times: int, version: str) -> int:
    """What a message that was retried so often shows: the first client reads a member that no server ever sent."""
    return 0 if version == "1.0.0" else times


async def bodies(queues: Watched, version: str) -> None:
    same(await queues.consume("bodies", "me"), None)
    for message in MESSAGES:
        await queues.publish("bodies", message)
        got = await queues.consume("bodies", "me")
        same(content(got.payload, version), message)
        await queues.ack("bodies", got.id)
    # Bytes: the first client can only spell them as numbers.
    raw = b"\xff\x00\xfe"
    await queues.publish("bodies", list(raw) if version == "1.0.0" else raw)
    got = await queues.consume("bodies", "me")
    same(got.payload, list(raw) if version == "1.0.0" else raw)
    await queues.ack("bodies", got.id)
    same(await queues.consume("bodies", "me"), None)


async def order(queues: Watched) -> None:
    same(await queues.create_queue("order"), None)
    published = {}
    for text, priority in [("low", 1), ("usual", None), ("high", 9), ("usual too", None), ("beyond", 200)]:
        published[text] = await queues.publish("order", text, priority=priority)
    assert len(set(published.values())) == 5 and all(id.startswith("msg_") for id in published.values()), published
    priorities = {"high": 9, "beyond": 9, "usual": 5, "usual too": 5, "low": 1}
    for text, priority in priorities.items():
        got = await queues.consume("order", "me")
        same(got.id, published[text])
        same((got.priority, got.max_retries), (priority, 3))
    same(await queues.consume("order", "me"), None)


async def acknowledging(queues: Watched) -> None:
    sent = {await queues.publish("acks", f"n{n}") for n in range(20)}
    got = await asyncio.gather(*(queues.consume("acks", f"consumer {n}") for n in range(20)))
    same({message.id for message in got}, sent)
    stats = await queues.stats("acks")
    same((stats["depth"], stats["consumers"]), (0, 20))
    same(await queues.ack("acks", got[0].id), None)
    await refused(queues.ack("acks", got[0].id), "MESSAGE_NOT_FOUND", f"Message not found: {got[0].id}")
    await refused(queues.ack("acks", "msg_none"), "MESSAGE_NOT_FOUND")
    await refused(queues.nack("acks", got[0].id), "MESSAGE_NOT_FOUND")
    await asyncio.gather(*(queues.ack("acks", message.id) for message in got[1:]))
    stats = await queues.stats("acks")
    same((stats["published_total"], stats["consumed_total"], stats["acked_total"]), (20, 20, 20))
    same((stats["published"], stats["consumed"], stats["acked"], stats["nacked"]), (20, 20, 20, 0))
    same(await queues.consume("acks", "me"), None)


async def retries(queues: Watched, version: str) -> None:
    await queues.publish("retries", "again", max_retries=2)
    await queues.publish("retries", "younger")
    for retry in range(3):
        got = await queues.consume("retries", "me")
        same((got.retries, got.max_retries), (retried(retry, version), 2))
        same(await queues.nack("retries", got.id), None)
    # The third was one too many: the message is a dead letter, and the younger one is next.
    dead = await queues.consume("retries.dlq", "me")
    same((dead.id, dead.max_retries), (got.id, 2))
    await queues.ack("retries.dlq", dead.id)
    same((await queues.consume("retries", "me")).retries, 0)
    stats = await queues.stats("retries")
    same((stats["nacked"], stats["dead_lettered"]), (3, 1))


async def limits(queues: Watched, version: str) -> None:
    await queues.create_queue("small", max_size=2, message_ttl=1)
    await queues.create_queue("small", max_size=2, message_ttl=1)
    await refused(queues.create_queue("small", max_size=3), "QUEUE_EXISTS")
    await queues.publish("small", "first")
    await queues.publish("small", "second")
    await refused(queues.publish("small", "third"), "QUEUE_FULL", "Queue is full: small")
    got = await queues.consume("small", "me")
    same(got.retries, 0)
    await asyncio.sleep(1.2)
    again = await queues.consume("small", "me")
    same((again.id, again.retries), (got.id, retried(1, version)))
    await refused(queues.create_queue("none", max_size=0), "INVALID_PAYLOAD", "config.max_depth")


async def managing(queues: Watched) -> None:
    alike(await queues.list(), ["acks", "bodies", "order", "retries", "retries.dlq", "small"])
    same(await queues.delete_queue("small"), None)
    await queues.delete_queue("small")
    alike(await queues.list(), ["acks", "bodies", "order", "retries", "retries.dlq"])
    await refused(queues.stats("small"), "QUEUE_NOT_FOUND", "Queue not found: small")
    await refused(queues.ack("small", "msg_1"), "QUEUE_NOT_FOUND", "Queue not found: small")
    await refused(queues.publish("acks.dlq", "x"), "INVALID_PAYLOAD", "names ending in .dlq are reserved")
