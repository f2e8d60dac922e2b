"""The raw writer, a process of its own: it knows all objects and does nothing but POST them.

It reads its plan, says ``ready``, begins when it reads a line, and says ``done`` after the last answer. Its parent
reads its CPU time from /proc at both moments.
"""

import asyncio
import ssl
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

import aiohttp
import click
import orjson

from tests.bench.load import Plan

_QUERY = {"fieldManager": "raw-writer", "fieldValidation": "Strict"}


@click.command()
@click.argument("kubeconfig", type=click.Path(exists=True, path_type=Path))
@click.argument("plan", type=click.Path(exists=True, path_type=Path))
@click.option("--in-flight", type=int, required=True, help="Requests under way at once.")
def main(kubeconfig: Path, plan: Path, in_flight: int) -> None:
    """POST the objects of PLAN, projects side by side and the steps of each one after the other."""
    asyncio.run(_run(orjson.loads(kubeconfig.read_bytes()), orjson.loads(plan.read_bytes()), in_flight))


async def _run(kubeconfig: dict[str, Any], plan: Plan, in_flight: int) -> None:
    cluster, user = kubeconfig["clusters"][0]["cluster"], kubeconfig["users"][0]["user"]
    tls = ssl.create_default_context(cadata=b64decode(cluster["certificate-authority-data"]).decode())
    connector = aiohttp.TCPConnector(ssl=tls, limit=0)
    headers = {"Authorization": f"Bearer {user['token']}", "Content-Type": "application/json"}
    async with aiohttp.ClientSession(cluster["server"], connector=connector, headers=headers) as session:
        slots = asyncio.Semaphore(in_flight)
        click.echo("ready")
        await asyncio.to_thread(sys.stdin.readline)
        async with asyncio.TaskGroup() as group:
            for steps in plan:
                group.create_task(_write_project(session, slots, steps))
        click.echo("done")
        # Alive until its CPU time has been read.
        await asyncio.to_thread(sys.stdin.readline)


async def _write_project(
    session: aiohttp.ClientSession, slots: asyncio.Semaphore, steps: list[list[tuple[str, dict[str, Any]]]]
) -> None:
    for step in steps:
        await asyncio.gather(*(_write(session, slots, path, manifest) for path, manifest in step))


async def _write(session: aiohttp.ClientSession, slots: asyncio.Semaphore, path: str, manifest: dict[str, Any]) -> None:
    body = orjson.dumps(manifest)
    async with slots, session.post(path, params=_QUERY, data=body) as response:
        content = await response.read()
        if response.status != 201:
            raise click.ClickException(f"POST {path}: {response.status} {content[:300]!r}")


if __name__ == "__main__":
    main()
