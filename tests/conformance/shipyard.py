"""Doubles of the two upstreams of the tutorial: a maritime registry that speaks JSON, and a legacy
dockyard that speaks XML. What they answer was made up here, in the shapes that the tutorial's files
read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from tests.recording_upstream import RecordedRequest, RecordingUpstream, Reply, reply_json

SHIPS: list[dict[str, Any]] = [
    {
        "imo_number": "IMO-1001",
        "vessel_name": "Aurora",
        "vessel_type": "cargo",
        "flag_code": "NO",
        "operational_status": "active",
        "year_built": 2015,
        "gross_tonnage": 42000.50,
        "dimensions": {"length_overall": 229.5, "beam": 32},
        "assignedCrew": ["C-1", "C-3", "C-404"],
        "internal": {"owner": "not for callers"},
    },
    {
        "imo_number": "IMO-1002",
        "vessel_name": "Boreas",
        "vessel_type": "tanker",
        "flag_code": "DK",
        "operational_status": "laid_up",
        "year_built": 1998,
        "gross_tonnage": 81000,
        "dimensions": {},
        "assignedCrew": [],
    },
]
CREW = [
    {"crewId": "C-1", "fullName": "Ada Berg", "role": "master", "salary": 1},
    {"crewId": "C-2", "fullName": "Bo Dahl", "role": "cook"},
    {"crewId": "C-3", "fullName": "Cy Elde", "role": "mate"},
]
CARGO = [
    {
        "cargoId": "G-1",
        "type": "bulk",
        "description": "Grain",
        "weight": 1200.5,
        "hazardous": False,
    },
    {"cargoId": "G-2", "type": "tank", "description": "Acid", "weight": 90, "hazardous": True},
]
VOYAGE: dict[str, Any] = {
    "voyageId": "V-1",
    "shipImo": "IMO-1002",
    "departurePort": "NOBGO",
    "arrivalPort": "DKCPH",
    "departureDate": "2026-05-01",
    "arrivalDate": "2026-05-03",
    "crewIds": ["C-3", "C-1"],
    "cargoIds": ["G-2"],
    "status": "planned",
}
VESSELS = [
    ("LV-1", "Old Tom", "trawler", "NO", "active"),
    ("LV-2", "Grey Lady", "ferry", "SE", "scrapped"),
    ("LV-3", "Ida & Ole", "barge", "DK", "scrapped"),
]


@dataclass(frozen=True, slots=True)
class Shipyard:
    """The two running doubles."""

    registry: RecordingUpstream
    legacy: RecordingUpstream

    @property
    def base_uris(self) -> dict[str, str]:
        return {
            "registry": f"{self.registry.url}/rest/registry/1.0",
            "legacy": f"{self.legacy.url}/rest/legacy/1.0",
        }

    @property
    def targets(self) -> list[str]:
        """What the registry was asked for, in order."""
        return [target(request) for request in self.registry.requests]


def target(request: RecordedRequest) -> str:
    return f"{request.method} {request.target.removeprefix('/rest/registry/1.0')}"


@contextmanager
def shipyard() -> Iterator[Shipyard]:
    with RecordingUpstream() as registry, RecordingUpstream() as legacy:
        registry.answers(_registry)
        legacy.answers(_legacy)
        yield Shipyard(registry, legacy)


def _registry(request: RecordedRequest) -> Reply:
    method, _, target_ = target(request).partition(" ")
    path, _, query = target_.partition("?")
    status = parse_qs(query).get("status", [None])[0]
    if method == "POST" and path == "/voyages":
        return reply_json({"voyageId": "V-2", "status": "planned", **json.loads(request.body)}, 201)
    if method != "GET":
        return reply_json({"error": "not allowed"}, 405)
    if path == "/ships":
        return reply_json([s for s in SHIPS if status in (None, s["operational_status"])])
    if path == "/crew":
        return reply_json(CREW)
    if path == "/cargo":
        return reply_json(CARGO)
    kind, _, key = path.removeprefix("/").partition("/")
    found = [s for s in SHIPS if kind == "ships" and s["imo_number"] == unquote(key)]
    found += [VOYAGE] if kind == "voyages" and key == VOYAGE["voyageId"] else []
    return reply_json(found[0]) if found else reply_json({"error": f"no {kind} {key}"}, 404)


def _legacy(request: RecordedRequest) -> Reply:
    status = parse_qs(request.query).get("status", [None])[0]
    vessels = "".join(
        "<vessel><vesselCode>{}</vesselCode><vesselName>{}</vesselName><category>{}</category>"
        "<flagState>{}</flagState><operationalStatus>{}</operationalStatus></vessel>".format(
            *(text.replace("&", "&amp;") for text in vessel)
        )
        for vessel in VESSELS
        if status in (None, vessel[4])
    )
    document = f'<?xml version="1.0" encoding="UTF-8"?>\n<vessels>\n{vessels}\n</vessels>'
    return Reply(200, (("content-type", "application/xml"),), document.encode())
