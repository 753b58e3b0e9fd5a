"""How things are said and written: disks in messages, lines of /etc/fstab, longhorn-disk.cfg."""

from __future__ import annotations

import json
import re
from typing import List, Optional, Sequence, Tuple

from fluxstead.hosts.script.model import DEVICE_TIMEOUT, MIB, BlockDevice, DeclaredDisk, FoundDisk, Signature, Verdict, human


def describe(disk: FoundDisk) -> str:
    """A disk as an operator recognises it: path, model, serial, size."""
    return f"{disk.path} ({disk.model or 'no model'}, serial {disk.serial or 'none'}, {human(disk.size)})"


def contents(disk: FoundDisk) -> str:
    """What was seen on a disk: signatures, partitions, mounts."""
    seen = [f"{volume.path} ({human(volume.size)}): {_inside(volume)}" for volume in disk.volumes if _inside(volume)]
    seen += [f"{_signed(each)}, in no partition" for each in disk.hidden]
    if not seen:
        seen.append(
            "blank" if disk.edges == "zero" and not disk.inside else f"no signature, but {disk.inside or 'not zero at its ends'}"
        )
    return "; ".join(seen)


def _inside(volume: BlockDevice) -> str:
    what = list(dict.fromkeys(map(_signed, volume.signatures)))
    what += [f"mounted at {mount}" for mount in volume.mounts]
    what += ["swap in use"] if volume.swap else []
    if volume.look and volume.look.problem:
        what.append(f"not looked into: {volume.look.problem}")
    elif volume.look:
        what.append(f"holding {', '.join(volume.look.entries[:5])}" if volume.look.entries else "holding no files")
    return ", ".join(what or ["nothing recognised"] * (volume.kind != "disk"))


def _signed(signature: Signature) -> str:
    place = f"at {human(signature.offset)}" if signature.offset >= MIB else ""
    return " ".join(filter(None, (signature.type, signature.label, place)))


def stable_name(disk: FoundDisk) -> str:
    """The name to declare a disk by: under by-id if it has one, ata-, nvme- and scsi- before wwn-."""
    return min(disk.links, key=lambda link: ("/wwn-" in link, len(link), link), default=disk.path)


def consent_line(disk: FoundDisk) -> str:
    """The line that consents to lose what the disk holds now."""
    return f"wipe: {disk.serial}/{disk.digest}"


def said(verdict: Verdict) -> str:
    """A refusal in full: seen, declared, and what to write."""
    declared = verdict.declared
    keys = (("device", declared.device), ("serial", declared.serial), ("wwn", declared.wwn))
    names = ", ".join(f"{key} {value}" for key, value in keys if value)
    parts = [f"disk {declared.name}: {'; '.join(verdict.why)}."]
    if verdict.disk is not None:
        parts.append(f"Seen: {describe(verdict.disk)}: {contents(verdict.disk)}.")
    parts.append(f"Declared: {names}, at least {human(declared.size)}, {declared.filesystem} at {declared.mount_path}.")
    if verdict.write:
        parts.append(f"To write under this disk: {verdict.write}")
    return " ".join(parts)


def config_state(text: Optional[str]) -> Tuple[str, str]:
    """(absent | uuid | broken, its diskName): broken files keep Longhorn from ever giving a UUID (F12, F15)."""
    if text is None:
        return "absent", ""
    try:
        data = json.loads(text)
    except ValueError:
        return "broken", ""
    if not isinstance(data, dict) or not data.get("diskUUID"):
        return "broken", ""
    return "uuid", str(data.get("diskName") or "")


def fstab_escape(text: str) -> str:
    """A path as a field of /etc/fstab: just what getmntent(3) decodes, which systemd reads it by, and nothing more."""
    return re.sub(r"[ \t\n\\]", lambda found: f"\\{ord(found.group()):03o}", text)


def fstab_lines(text: str) -> List[str]:
    """The lines of /etc/fstab that mount something."""
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def fstab_fields(line: str) -> Tuple[str, str, str, List[str]]:
    """(source, mount path, type, options) of a line of /etc/fstab."""
    fields = [
        re.sub(r"\\([0-7]{3})", lambda found: chr(int(found.group(1), 8)), field) for field in re.findall(r"[^ \t\r\n]+", line)
    ]
    source, path, kind, options = (fields + [""] * 4)[:4]
    return source.replace('"', ""), path, kind, options.split(",")


def fstab_line(declared: DeclaredDisk, uuid: str, options: Sequence[str] = ("defaults",)) -> str:
    """The line of /etc/fstab for a prepared disk: a dead or missing disk never holds up a boot (U3)."""
    added = [*([] if "nofail" in options else ["nofail"]), *([] if _bounded(options) else [DEVICE_TIMEOUT])]
    return f"UUID={uuid} {fstab_escape(declared.mount_path)} {declared.filesystem} {','.join([*options, *added])} 0 2"


def options_right(options: Sequence[str]) -> bool:
    """No boot hangs on a line with these options."""
    return "nofail" in options and _bounded(options)


def _bounded(options: Sequence[str]) -> bool:
    return any(option.startswith(DEVICE_TIMEOUT.split("=")[0]) for option in options)


def adopted_line(declared: DeclaredDisk, uuid: str, lines: Sequence[str]) -> str:
    """The same, with the options that the operator's own line for this path has."""
    options = [option for line in lines[:1] for option in fstab_fields(line)[3] if option not in ("", "noauto")]
    return fstab_line(declared, uuid, options or ("defaults",))
