"""What the operator loads at its start, and what only with the first use."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

_AFTER_START = ("cryptography", "dns", "httpcore", "httpx", "oauthlib", "requests", "urllib3", "websocket")
"""Of these nothing at all; of the official client only the models that Kopf imports."""
_LOADED = """
import sys
import onboarding.runtime.start
print("\\n".join(sys.modules))
"""


def _python(code: str) -> str:
    environment = {**os.environ, "HOME": "/"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    return set(_python(_LOADED).split())


@pytest.mark.parametrize("library", _AFTER_START)
def test_the_start_loads_no_library_of_probes_and_none_of_the_synchronous_client(
    loaded: set[str], library: str
) -> None:
    """They take a third of the memory and half of the time of a start, and most operators never use them."""
    assert [name for name in loaded if name.partition(".")[0] == library] == []


def test_the_start_loads_of_the_official_client_only_what_kopf_imports(loaded: set[str]) -> None:
    parts = {name for name in loaded if name.startswith("kubernetes.")}
    assert [name for name in parts if not name.startswith("kubernetes.client")] == []


def test_the_official_client_works_without_its_synchronous_half() -> None:
    """Kubeconfig, token and TLS need neither requests nor oauthlib nor websocket."""
    code = """
import asyncio, sys
from onboarding.adapters import official
user = {"name": "u", "user": {"token": "t"}}
cluster = {"name": "c", "cluster": {"server": "https://192.0.2.1"}}
context = {"name": "x", "context": {"cluster": "c", "user": "u"}}
content = {"users": [user], "clusters": [cluster], "contexts": [context], "current-context": "x"}
async def main():
    login = await official.kubeconfig_configuration(content)
    print(login.host, await login.get_api_key_with_prefix("BearerToken"), official.tls_context(login).verify_mode.name)
asyncio.run(main())
print(sorted({"requests", "oauthlib", "websocket", "kubernetes.config"} & sys.modules.keys()))
"""
    assert _python(code).splitlines() == ["https://192.0.2.1 Bearer t CERT_REQUIRED", "[]"]
