"""Publish and subscribe, as far as HTTP carries it."""

from __future__ import annotations

from synap_sdk import SynapClient

from .check import Watched, refused, same


async def session(client: SynapClient, pubsub: Watched, version: str) -> None:
    same(await pubsub.publish("news.sport", {"score": [1, 0]}), 0)
    same(await pubsub.subscribe_topics("ann", ["news.*", "alerts"]), None)
    same(await pubsub.subscribe_topics("bob", ["news.#"]), None)
    same(await pubsub.publish("news.sport", "text"), 2)
    same(await pubsub.publish("news.sport.today", None), 1)
    same(await pubsub.publish("alerts", 7), 1)
    same(await pubsub.publish("elsewhere", []), 0)
    same(await pubsub.list_topics(), ["alerts", "elsewhere", "news.sport", "news.sport.today"])

    same(await pubsub.unsubscribe_topics("ann", ["news.*"]), None)
    same(await pubsub.publish("news.sport", "text"), 1)
    same(await pubsub.publish("alerts", "text"), 1)
    await pubsub.unsubscribe_topics("bob", ["news.#"])
    same(await pubsub.publish("news.sport", "text"), 0)

    # Without a push connection an observer is a registration that yields nothing.
    same([message async for message in pubsub.observe(["watched"], "eve")], [])
    same([message async for message in pubsub.observe(["watched"])], [])
    same(await pubsub.publish("watched", "text"), 2)

    stats = await pubsub.stats()
    same((stats["messages_published"], stats["total_topics"]), (9, 5))
    await refused(pubsub.subscribe_topics("ann", ["a.#.b"]), "INVALID_PAYLOAD", "'#' must be the last segment")
