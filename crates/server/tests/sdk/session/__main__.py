"""A session of the published Python client with a running server: every public method of the managers that speak to
commands of the contract, every result checked.

    python -m session <base URL> [--token <API key> | --user <name> <password>]

The server is fresh: nothing is in it when the session begins.
"""

from __future__ import annotations

import argparse
import asyncio
from importlib import metadata

from synap_sdk import SynapClient, SynapConfig

from . import general, hash, kv, list, pubsub, queue, set, sortedset, stream
from .check import Watched

FAMILIES = {
    "kv": kv,
    "hash": hash,
    "list": list,
    "set": set,
    "queue": queue,
    "stream": stream,
    "pubsub": pubsub,
}


def configuration(arguments: argparse.Namespace) -> SynapConfig:
    config = SynapConfig.create(arguments.url).with_timeout(60)
    if arguments.token:
        return config.with_auth_token(arguments.token)
    if arguments.user:
        return config.with_basic_auth(*arguments.user)
    return config


async def run(config: SynapConfig, version: str) -> None:
    async with SynapClient(config) as client:
        # First, because the server is still empty.
        await general.empty(client)
        for name, family in FAMILIES.items():
            manager = Watched(getattr(client, name))
            await family.session(client, manager, version)
            left = manager.not_called()
            assert not left, f"{name}: nothing calls {sorted(left)}"
        # The client has no manager for it; others of its family send these commands.
        await sortedset.session(client)
        await general.session(client)
    await general.credentials(config)


def main() -> None:
    parser = argparse.ArgumentParser(prog="session")
    parser.add_argument("url")
    parser.add_argument("--version", required=True, help="the version of the client that must be installed")
    parser.add_argument("--token")
    parser.add_argument("--user", nargs=2)
    arguments = parser.parse_args()
    version = metadata.version("synap-sdk")
    assert version == arguments.version, f"synap-sdk {version} is installed, not {arguments.version}"
    asyncio.run(run(configuration(arguments), version))
    print("session complete")


main()
