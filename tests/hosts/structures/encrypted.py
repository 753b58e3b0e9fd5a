"""Encrypted disks: with a header at the start, and with none at all."""

from __future__ import annotations

import base64
import hashlib
import json
import struct

from .checksums import KIB, MIB, UUID_TEXT, fields, noise

SALT = base64.b64encode(noise(32, "salt")).decode()
LUKS2_JSON = json.dumps(
    {
        "keyslots": {
            "0": {
                "type": "luks2",
                "key_size": 64,
                "af": {"type": "luks1", "stripes": 4000, "hash": "sha256"},
                "area": {"type": "raw", "offset": "32768", "size": "258048", "encryption": "aes-xts-plain64", "key_size": 64},
                "kdf": {"type": "argon2id", "time": 4, "memory": 1048576, "cpus": 4, "salt": SALT},
            }
        },
        "tokens": {},
        "segments": {
            "0": {
                "type": "crypt",
                "offset": "16777216",
                "size": "dynamic",
                "iv_tweak": "0",
                "encryption": "aes-xts-plain64",
                "sector_size": 512,
            }
        },
        "digests": {
            "0": {
                "type": "pbkdf2",
                "keyslots": ["0"],
                "segments": ["0"],
                "hash": "sha256",
                "iterations": 100_000,
                "salt": SALT,
                "digest": base64.b64encode(noise(32, "digest")).decode(),
            }
        },
        "config": {"json_size": "12288", "keyslots_size": "16744448"},
    }
).encode()


def luks1(size: int, sector: int) -> dict[int, bytes]:
    """LUKS1: header in the first 592 bytes, key material from 4 KiB, data from 2 MiB; "LUKS On-Disk Format Specification" 1.2.3."""
    del size, sector
    header = fields(
        592,
        (0, "6s", b"LUKS\xba\xbe"),
        (6, ">H", 1),
        (8, "32s", b"aes"),
        (40, "32s", b"xts-plain64"),
        (72, "32s", b"sha256"),
        (104, ">I", 4096),
        (108, ">I", 64),
        (112, "20s", noise(20, "digest")),
        (132, "32s", noise(32, "salt")),
        (164, ">I", 100_000),
        (168, "40s", UUID_TEXT),
    )
    for slot in range(8):
        struct.pack_into(">II32sII", header, 208 + 48 * slot, 0x0000DEAD, 0, b"", 8 + slot * 504, 4000)
    struct.pack_into(">II32s", header, 208, 0x00AC71F3, 200_000, noise(32, "slot"))
    return {0: bytes(header), 4 * KIB: noise(64 * KIB, "luks1 key"), 2 * MIB: noise(64 * KIB, "luks1 data")}


def _luks2_header(magic: bytes, place: int) -> bytes:
    header = fields(
        4 * KIB,
        (0, "6s", magic),
        (6, ">H", 2),
        (8, ">Q", 16 * KIB),
        (16, ">Q", 3),
        (72, "32s", b"sha256"),
        (104, "64s", noise(64, f"luks2 salt {place}")),
        (168, "40s", UUID_TEXT),
        (256, ">Q", place),
    )
    text = LUKS2_JSON.ljust(12 * KIB, b"\0")
    header[448:480] = hashlib.sha256(bytes(header) + text).digest()
    return bytes(header) + text


def luks2(size: int, sector: int) -> dict[int, bytes]:
    """LUKS2: two headers of 16 KiB, key material, data from 16 MiB; "LUKS2 On-Disk Format Specification" 1.1, section 2."""
    del size, sector
    first, second = _luks2_header(b"LUKS\xba\xbe", 0), _luks2_header(b"SKUL\xba\xbe", 16 * KIB)
    return {0: first + second, 32 * KIB: noise(64 * KIB, "luks2 key"), 16 * MIB: noise(64 * KIB, "luks2 data")}


def luks2_second_header_only(size: int, sector: int) -> dict[int, bytes]:
    """LUKS2 whose first 16 KiB were zeroed: cryptsetup mends it from the second header; the same specification, section 2.2."""
    return {16 * KIB: _luks2_header(b"SKUL\xba\xbe", 16 * KIB), 16 * MIB: luks2(size, sector)[16 * MIB]}


def luks_detached_header(size: int, sector: int) -> dict[int, bytes]:
    """LUKS with the header on another device (`luksFormat --header`): an encrypted ext4's first writes, nothing that says so."""
    del sector
    places = [0, *(group * 128 * MIB for group in (1, 3, 5, 7)), size // 2 // MIB * MIB]
    return {place: noise(64 * KIB, f"detached {place}") for place in places if place + 64 * KIB <= size}


def image_in_the_middle(size: int, sector: int) -> dict[int, bytes]:
    """The encrypted image of a virtual machine, written somewhere in a disk whose start nobody ever used."""
    del sector
    length = min(max(MIB, 3 * size // 1024), 8 * MIB) // (4 * KIB) * 4 * KIB
    return {size * 3 // 8 // (4 * KIB) * 4 * KIB: noise(length, "virtual machine")}
