#!/usr/bin/env python3
"""Writes the databases in MaxMind's format that tests read, in tests/it/enrichment/data/: documentation networks, AS numbers for
documentation (RFC 5737, 3849, 5398), and names that are made up. Nothing in them comes from anybody's database.

    python3 -m venv .venv-mmdb && .venv-mmdb/bin/pip install -r scripts/requirements-mmdb.txt
    .venv-mmdb/bin/python scripts/make_test_databases.py            writes them
    .venv-mmdb/bin/python scripts/make_test_databases.py --check    exits 1 when one is not what this script would write
    .venv-mmdb/bin/python scripts/make_test_databases.py --large FOLDER [--networks 500000]

The last one writes a database of AS numbers as large as a real one, and an ip-ranges.json of as many networks as AWS has, to
measure with: docs/performance.md says how. They take some minutes.
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import random
import sys
import tempfile
import time
from pathlib import Path

from mmdb_writer import MMDBWriter, MmdbU32
from netaddr import IPSet

DATA = Path(__file__).resolve().parent.parent / "tests" / "it" / "enrichment" / "data"
# 2026-11-04T00:00:00Z: the same bytes whenever they are written.
MADE = 1793750400


def asn(number: int, organisation: str) -> dict:
    return {"autonomous_system_number": MmdbU32(number), "autonomous_system_organization": organisation}


def city(country: str | None, registered: str, name: str | None = None) -> dict:
    """As GeoLite2-City has it. Some networks have no country, only one that they are registered in."""
    record: dict = {"registered_country": {"iso_code": registered}}
    if name:
        record["city"] = {"geoname_id": MmdbU32(1), "names": {"en": name}}
    if country:
        record["country"] = {"geoname_id": MmdbU32(2), "iso_code": country, "names": {"en": f"The country {country}"}}
    return record


def ipinfo(number: int, name: str, country: str) -> dict:
    """As ipinfo's free database has it: texts, side by side."""
    return {"asn": f"AS{number}", "as_name": name, "country": f"The country {country}", "country_code": country}


# File: type, version of IP, networks. A smaller network comes behind the one it lies in.
DATABASES = {
    "asn.mmdb": ("GeoLite2-ASN", 6, {
        "203.0.113.0/25": asn(64496, "Example Hosting"),
        "203.0.113.128/25": asn(64511, "Example Telecom"),
        "198.51.100.0/24": asn(64497, "Example Cloud"),
        "2001:db8::/32": asn(64496, "Example Hosting"),
    }),
    "city.mmdb": ("GeoLite2-City", 6, {
        "203.0.113.0/25": city("NL", "NL", "Example City"),
        "203.0.113.128/25": city(None, "US"),
        "198.51.100.0/24": city("US", "US"),
        "2001:db8::/32": city("DE", "DE"),
    }),
    "ipinfo.mmdb": ("ipinfo lite_sample.mmdb", 4, {"192.0.2.0/24": ipinfo(64500, "Example Office", "BE")}),
    "connection.mmdb": ("GeoIP2-Connection-Type", 4, {"192.0.2.0/24": {"connection_type": "Cable/DSL"}}),
}


def write(path: Path, kind: str, version: int, networks: dict[str, dict]) -> None:
    writer = MMDBWriter(version, kind, languages=["en"], description={"en": "made for tests"}, ipv4_compatible=version == 6)
    for network, record in networks.items():
        writer.insert_network(IPSet([network]), record)
    clock, time.time = time.time, lambda: MADE
    try:
        writer.to_db_file(str(path))
    finally:
        time.time = clock


def make(folder: Path) -> None:
    for name, (kind, version, networks) in DATABASES.items():
        write(folder / name, kind, version, networks)


def is_current() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder))
        stale = [name for name in DATABASES if (Path(folder) / name).read_bytes() != (DATA / name).read_bytes()]
    for name in stale:
        print(f"{DATA / name} is not what this script writes", file=sys.stderr)
    return not stale


def large(folder: Path, count: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    draw = random.Random(7)
    step = (224 << 24) // count
    networks = {}
    for index in range(count):
        length = draw.choice([22, 23, 24, 24, 24])
        address = (1 << 24) + index * step & ~((1 << 32 - length) - 1)
        networks[f"{ipaddress.ip_address(address)}/{length}"] = asn(1 + index // 7, f"Example Network {index // 7}")
    write(folder / "asn.mmdb", "GeoLite2-ASN", 6, networks)
    print(f"{folder / 'asn.mmdb'}: {len(networks)} networks, {(folder / 'asn.mmdb').stat().st_size / 1e6:.1f} MB")
    (folder / "ip-ranges.json").write_text(json.dumps(ip_ranges(draw), indent=2))


def ip_ranges(draw: random.Random) -> dict:
    """As many networks, and as nested, as AWS publishes: each of EC2 and S3 stands there as AMAZON, too."""
    regions = [f"{area}-{where}-{n}" for area in ("us", "eu", "ap", "sa", "me", "af") for where in ("east", "west") for n in (1, 2, 3)]
    services = ["S3", "CLOUDFRONT", "DYNAMODB", "ROUTE53_HEALTHCHECKS", "CODEBUILD", "API_GATEWAY", "EC2_INSTANCE_CONNECT"]

    def entry(key: str, network: str, service: str, region: str) -> dict:
        return {key: network, "region": region, "service": service, "network_border_group": region}

    v4, v6 = [], []
    for index in range(1500):
        region = draw.choice(regions)
        base = (3 << 24) + (index << 16)
        v4 += [entry("ip_prefix", f"{ipaddress.ip_address(base)}/16", service, region) for service in ("AMAZON", "EC2")]
        inner, service = base + (draw.randrange(64) << 10), draw.choice(services)
        v4 += [entry("ip_prefix", f"{ipaddress.ip_address(inner)}/24", by, region) for by in ("AMAZON", service)]
        v4 += [entry("ip_prefix", f"{ipaddress.ip_address(inner)}/24", "EC2", region)] if service == "S3" else []
    for index in range(1250):
        region, base = draw.choice(regions), (0x2600_1F00 << 96) + (index << 88)
        v6 += [entry("ipv6_prefix", f"{ipaddress.ip_address(base)}/40", service, region) for service in ("AMAZON", "EC2")]
    print(f"ip-ranges.json: {len(v4) + len(v6)} networks")
    return {"syncToken": str(MADE), "createDate": "2026-11-04-00-00-00", "prefixes": v4, "ipv6_prefixes": v6}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="exit with 1 when a file is not what this script would write")
    parser.add_argument("--large", type=Path, metavar="FOLDER", help="write what to measure with there")
    parser.add_argument("--networks", type=int, default=500_000, help="how many networks the large database has")
    args = parser.parse_args()
    if args.large:
        large(args.large, args.networks)
    elif args.check:
        return 0 if is_current() else 1
    else:
        DATA.mkdir(parents=True, exist_ok=True)
        make(DATA)
    return 0


if __name__ == "__main__":
    sys.exit(main())
