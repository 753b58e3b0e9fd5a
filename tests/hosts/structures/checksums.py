"""The checksums that on-disk structures carry: with a wrong one, no tool takes a structure for what it claims to be."""

from __future__ import annotations

import hashlib
import struct

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30


def _reflected(polynomial: int) -> list[int]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (polynomial if value & 1 else 0)
        table.append(value)
    return table


def _forward64(polynomial: int) -> list[int]:
    table = []
    for byte in range(256):
        value = byte << 56
        for _ in range(8):
            value = ((value << 1) ^ (polynomial if value >> 63 else 0)) & (2**64 - 1)
        table.append(value)
    return table


CASTAGNOLI = _reflected(0x82F63B78)
IEEE = _reflected(0xEDB88320)
ECMA = _forward64(0x42F0E1EBA9EA3693)


def crc32c(data: bytes, start: int = 0xFFFFFFFF) -> int:
    """CRC-32C without the last inversion, as the kernel's `crc32c(~0, …)` gives it."""
    for byte in data:
        start = (start >> 8) ^ CASTAGNOLI[(start ^ byte) & 0xFF]
    return start


def crc32_raw(data: bytes, start: int) -> int:
    """CRC-32 without any inversion, as the kernel's `crc32_le` gives it: NILFS2's and LVM2's, each from a seed of its own."""
    for byte in data:
        start = (start >> 8) ^ IEEE[(start ^ byte) & 0xFF]
    return start


def crc64(data: bytes) -> int:
    """CRC-64/WE: bcache's."""
    value = 2**64 - 1
    for byte in data:
        value = ((value << 8) & (2**64 - 1)) ^ ECMA[(value >> 56) ^ byte]
    return value ^ (2**64 - 1)


def fletcher64(data: bytes) -> int:
    """Apple File System Reference, "Objects": Fletcher's sum over the object without its first eight bytes."""
    low = high = 0
    for (word,) in struct.iter_unpack("<I", data):
        low += word
        high += low
    first = 0xFFFFFFFF - (low + high) % 0xFFFFFFFF
    return (0xFFFFFFFF - (low + first) % 0xFFFFFFFF) << 32 | first


def lvm_crc(data: bytes) -> int:
    """LVM2's `calc_crc`, from INITIAL_CRC."""
    return crc32_raw(data, 0xF597A6CF)


def fields(length: int, *values: tuple[int, str, object]) -> bytearray:
    """A structure of `length` bytes, each value (offset, struct format, value) at its offset."""
    block = bytearray(length)
    for offset, form, value in values:
        struct.pack_into(form, block, offset, value)
    return block


def noise(length: int, seed: str) -> bytes:
    """What encrypted data looks like: the same for the same seed, no page of it zero."""
    return hashlib.shake_256(seed.encode()).digest(length)


UUID = bytes.fromhex("8f0c4b7a5d1e4c2f9a3b6d7e8f901234")
UUID_TEXT = b"8f0c4b7a-5d1e-4c2f-9a3b-6d7e8f901234"
