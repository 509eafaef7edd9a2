"""The server of `server.mjs` as a process, and the certificate by which we know it."""

from __future__ import annotations

import ipaddress
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from storage.cosmos_opening import Account

ROOT = Path(__file__).parents[2]
KEY = "bm90IGEgc2VjcmV0"
"""Base 64, as keys are; the server looks at none."""


@dataclass(frozen=True, slots=True)
class Server:
    """`folder` holds its certificate; everything else is in its memory."""

    port: int
    folder: Path

    @property
    def ca_file(self) -> Path:
        return self.folder / "cert.pem"

    def new_database(self) -> Account:
        """An account with an empty database in it."""
        url = f"https://127.0.0.1:{self.port}/"
        return Account(url, f"test-{secrets.token_hex(4)}", KEY, self.ca_file)


def settings_for(account: Account) -> dict[str, str]:
    """The environment with which a bot uses this database."""
    place = account.url.removeprefix("https://")
    return {
        "SNAPSHOT_STORE": f"cosmos://{place}{account.database}",
        "COSMOS_KEY": account.key,
        "COSMOS_CA_FILE": str(account.ca_file),
    }


def why_not() -> str:
    """Why it cannot be started here; nothing if it can."""
    if shutil.which("node") is None:
        return "Node is not here"
    if not (ROOT / "node_modules/@vercel/cosmosdb-server").is_dir():
        return "the npm package @vercel/cosmosdb-server is not here"
    return ""


@contextmanager
def cosmos_server(folder: Path, *, history: bool = False) -> Iterator[Server]:
    """Skips the test where it cannot be started.

    `history`: it goes by the time in the file `clock`, and keeps a feed (`history.mjs`).
    """
    if reason := why_not():
        pytest.skip(reason)
    write_certificate(folder)
    before = ["--import", str(ROOT / "tests/cosmos/history.mjs")] if history else []
    command = ["node", *before, str(ROOT / "tests/cosmos/server.mjs"), str(folder)]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(  # noqa: S603 - the words stand above
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, cwd=ROOT, text=True
        )
    try:
        assert process.stdout is not None
        yield Server(int(process.stdout.readline()), folder)
    finally:
        process.kill()
        process.communicate()


def write_certificate(folder: Path) -> None:
    """The package has one too, which ran out in 2021 and names no host."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Cosmos DB of the tests")])
    now = datetime.now(UTC)
    loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([loopback]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
