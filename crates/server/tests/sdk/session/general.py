"""What belongs to no manager: health, raw commands, the old route, credentials."""

from __future__ import annotations

from synap_sdk import SynapClient, SynapConfig
from synap_sdk.exceptions import SynapException

from .check import refused, same


async def empty(client: SynapClient) -> None:
    """What a fresh server says."""
    same((await client.health())["status"], "healthy")
    same(await client.kv.scan(""), [])
    same(await client.queue.list(), [])
    same(await client.stream.list_rooms(), [])
    same(await client.pubsub.list_topics(), [])


async def session(client: SynapClient) -> None:
    await refused(client.send_command("kv.fly", {"key": "k"}), "INVALID_COMMAND", "Unknown command: kv.fly")
    await refused(client.send_command("kv.set", {"key": "k"}), "INVALID_REQUEST", "Missing required field: value")
    await refused(client.send_command("kv.get", {"key": "h"}), "WRONG_TYPE", "Key 'h' holds a hash, not a string")
    await refused(client.hash.get("word", "f"), "WRONG_TYPE", "Key 'word' holds a string, not a hash")
    await old_route(client)


async def old_route(client: SynapClient) -> None:
    """`execute` goes to the route that clients before the command envelope used."""
    await client.execute("kv.set", "old", {"value": "by the old route"})
    same(await client.kv.get("old"), "by the old route")
    same((await client.execute("kv.incr", "old:n", {"delta": 3}))["value"], 3)
    try:
        await client.execute("kv.incr", "old", {})
    except SynapException as error:
        assert "is not an integer" in str(error), error
    else:
        raise AssertionError("a text was counted")


async def credentials(config: SynapConfig) -> None:
    """Where the server asks for credentials, none and wrong ones are refused."""
    if not (config.auth_token or config.username):
        return
    async with SynapClient(SynapConfig.create(config.base_url)) as nobody:
        await refused(nobody.kv.get("word"), "UNAUTHORIZED", "Missing API key")
        same((await nobody.health())["status"], "healthy")
    async with SynapClient(SynapConfig.create(config.base_url).with_auth_token("wrong")) as stranger:
        await refused(stranger.kv.get("word"), "UNAUTHORIZED")
