#!/usr/bin/env python3
"""A second opinion on a Holdpoint ledger, written from src/ledger/FORMAT.md alone.

    verify.py [--trust KEY] [--checkpoint FILE] PATH

PATH is a file of `holdpoint ledger export`, or a directory of `holdpoint ledger export-tiles`. Prints a verdict
as JSON and exits 0 when it is ok, 1 when it is not, 2 when it was called wrongly. Python 3 and its standard library; Ed25519
is the `openssl` command's. Reason codes are those of `holdpoint verify`; the first names the cause.
"""

import base64
import binascii
import datetime
import hashlib
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import zlib

GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
OUTCOMES = {
    "delivered", "denied", "expired", "released_undelivered", "client_abort", "upstream_error",
    "upstream_truncated", "interrupted", "ledger_unavailable", "carried", "reported",
}
FIELDS = ["at", "boot", "data", "durability", "kid", "ledger", "mono", "parts", "prev", "refs", "seq", "type", "v"]
RESERVED = {"document", "finding"}
NO_PREV = "0" * 64
VERDICTS = ("pass", "flag", "hold", "deny")
STRICTNESS = {"pass": 1, "flag": 1, "hold": 2, "deny": 3}
UTC = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3])(:[0-5]\d){2}\.\d{3}Z"
ANCHORED_BLOCKS_MAX = 65_536
NOTE_BYTES_MAX = 1_048_576
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
BASES = {
    "no_longer_needed", "consent_withdrawn", "objection", "unlawful", "legal_obligation", "child_consent", "retention",
}
TARGETS_MAX = 2048
TRIALS_MAX = 16


# Of Unicode's property White_Space, as c2sp.org/signed-note has it for names.
SPACES = "\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"


class Bad(Exception):
    """What was found; `seq` is -1 where it is about no entry."""

    def __init__(self, code, seq=-1, message=""):
        super().__init__(message or code)
        self.code, self.seq = code, seq


def sha256(*chunks):
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.digest()


# Tree: RFC 6962 section 2.1, as the roots of the maximal full subtrees.


class Tree:
    def __init__(self):
        self.size, self.frontier = 0, []

    def append(self, leaf_hash):
        node, size = leaf_hash, self.size
        while size % 2 == 1:
            node = sha256(b"\x01", self.frontier.pop(), node)
            size //= 2
        self.frontier.append(node)
        self.size += 1

    def copy(self):
        other = Tree()
        other.size, other.frontier = self.size, list(self.frontier)
        return other

    def root(self):
        if not self.frontier:
            return sha256()
        node = self.frontier[-1]
        for left in reversed(self.frontier[:-1]):
            node = sha256(b"\x01", left, node)
        return node


# Notes and keys.


def strict_base64(text):
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if base64.b64encode(raw).decode() == text else None


def parse_key(text):
    match = re.fullmatch(f"([^+{SPACES}]{{1,255}})" r"\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)", text)
    typed = strict_base64(match[3]) if match else None
    if typed is None:
        raise Bad("verifier_key_malformed")
    if typed[0] != 1:
        raise Bad("algorithm_unsupported")
    if len(typed) != 33 or sha256(match[1].encode() + b"\n" + typed)[:4].hex() != match[2]:
        raise Bad("verifier_key_malformed")
    return {"text": text, "origin": match[1], "hash": match[2], "public": typed[1:]}


def parse_note(raw, seq):
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Bad("note_malformed", seq)
    if len(raw) > NOTE_BYTES_MAX or re.search("[\x00-\x09\x0b-\x1f]", text):
        raise Bad("note_malformed", seq)
    body, blank, lines = text.partition("\n\n")
    bare = body[:-1] if not blank and body.endswith("\n") else body if blank else ""
    head = re.fullmatch(r"([!-*,-~]{1,255})\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)", bare)
    root = strict_base64(head[3]) if head else None
    if root is None or int(head[2]) > 2**53 - 1:
        raise Bad("note_malformed", seq)
    if not blank or lines == "":
        raise Bad("signature_missing", seq)
    if not lines.endswith("\n"):
        raise Bad("note_malformed", seq)
    signatures = []
    for text in lines[:-1].split("\n"):
        line = re.fullmatch(f"\u2014 ([^+{SPACES}]{{1,255}}) ([A-Za-z0-9+/=]+)", text)
        signature = strict_base64(line[2]) if line else None
        if signature is None or len(signature) < 5 or len(signatures) == 100:
            raise Bad("note_malformed", seq)
        signatures.append({"name": line[1], "hash": signature[:4].hex(), "bytes": signature[4:]})
    return {
        "text": (body + "\n").encode(), "origin": head[1], "size": int(head[2]), "root": root, "signatures": signatures,
    }


def why_unsigned(message, signature, key):
    """Ed25519 by openssl: None where the signature holds, or the code."""
    if signature is None or len(signature) != 64:
        return "signature_invalid"
    if int.from_bytes(signature[32:], "little") >= GROUP_ORDER:
        return "signature_malleable"
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: os.path.join(folder, name) for name in ("key", "text", "signature")}
        spki = bytes.fromhex("302a300506032b6570032100") + key["public"]
        for name, content in (("key", spki), ("text", message), ("signature", signature)):
            with open(paths[name], "wb") as file:
                file.write(content)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", paths["key"],
                   "-rawin", "-in", paths["text"], "-sigfile", paths["signature"]]
        return None if subprocess.run(command, capture_output=True, check=False).returncode == 0 else "signature_invalid"


def check_signature(note, keys, seq):
    """The first signature by one of the keys must hold."""
    for signature in note["signatures"]:
        for key in keys:
            if key["origin"] == signature["name"] and key["hash"] == signature["hash"]:
                code = why_unsigned(note["text"], signature["bytes"], key)
                if code:
                    raise Bad(code, seq)
                return
    raise Bad("key_unknown", seq)


# The stream of records.


def read_stream(path):
    with open(path, "rb") as file:
        if file.read(16) != b"HPJ1" + bytes(12):
            raise Bad("store_unreadable", 0, "it does not begin as a stream of version 1")
        while head := file.read(8):
            if not any(head):  # Room: nothing may follow it.
                while piece := file.read(65536):
                    if any(piece):
                        raise Bad("store_unreadable", -1, "something follows zeros")
                return
            length, checksum = struct.unpack(">II", head) if len(head) == 8 else (0, 0)
            body = file.read(length) if len(head) == 8 and length <= 2**30 else b""
            if len(head) < 8 or len(body) < length or zlib.crc32(body) != checksum:
                raise Bad("store_unreadable", -1, "a frame is torn or altered")
            at = 0
            while at < len(body):
                end = at + 13 + struct.unpack(">I", body[at + 9 : at + 13])[0] if at + 13 <= len(body) else len(body) + 1
                if end > len(body):
                    raise Bad("store_unreadable", -1, "a frame ends inside a record")
                yield body[at : at + 9], body[at + 13 : end]
                at = end


class Cursor:
    def __init__(self, raw, code, seq):
        self.raw, self.at, self.code, self.seq = raw, 0, code, seq

    def take(self, length):
        if self.at + length > len(self.raw):
            raise Bad(self.code, self.seq)
        self.at += length
        return self.raw[self.at - length : self.at]

    def number(self, length):
        return int.from_bytes(self.take(length), "big")

    def sized(self):
        return self.take(self.number(4))

    def magic(self, expected):
        found = self.take(4)
        if found != expected:
            same = found[:3] == expected[:3] and found[3:].isdigit()
            raise Bad("version_unsupported" if same else self.code, self.seq)

    def end(self):
        if self.at != len(self.raw):
            raise Bad(self.code, self.seq)


def read_block(raw, seq):
    cursor = Cursor(raw, "block_malformed", seq)
    cursor.magic(b"HPB1")
    count = cursor.number(4)
    if not 1 <= count <= 65536:
        raise Bad("block_malformed", seq)
    leaves = [cursor.sized() for _ in range(count)]
    if any(len(leaf) > 65536 for leaf in leaves):
        raise Bad("block_malformed", seq)
    note = cursor.sized()
    cursor.end()
    return leaves, note


def read_bodies(raw, seq):
    cursor = Cursor(raw, "bodies_malformed", seq)
    cursor.magic(b"HPV1")
    if not re.fullmatch(rb"[0-9a-f]{8}", cursor.take(cursor.number(1))):
        raise Bad("bodies_malformed", seq)
    cursor.take(12)
    wrapped = cursor.sized()
    items = [(cursor.number(8), cursor.number(1), cursor.sized()) for _ in range(cursor.number(4))]
    cursor.end()
    if any(at > 2**53 - 1 for at, _, _ in items):
        raise Bad("bodies_malformed", seq)
    if not items or len(wrapped) != 64 * len(items) + 16:
        raise Bad("bodies_malformed", seq)
    return items


# Leaves.


def canonical(value, depth=1):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if abs(value) > 2**53 - 1:
            raise ValueError("too large")
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    # Another writing of an integer, such as 1.0 or 1e3.
    if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53 - 1:
        return str(int(value))
    if depth > 32 or not isinstance(value, (list, dict)):
        raise ValueError("too deep, or no value of a leaf")
    if isinstance(value, list):
        return "[" + ",".join(canonical(item, depth + 1) for item in value) + "]"
    if any(not re.fullmatch(r"[\x20-\x7e]*", key) for key in value):
        raise ValueError("a key that is not ASCII")
    return "{" + ",".join(f"{json.dumps(key)}:{canonical(value[key], depth + 1)}" for key in sorted(value)) + "}"


def is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_text(value):
    return isinstance(value, str)


def is_utc(value):
    """A time of the format, on a day that there is."""
    if not is_text(value) or not re.fullmatch(UTC, value, re.ASCII):
        return False
    try:
        milliseconds(value)
    except ValueError:
        return False
    return True


def milliseconds(utc):
    """Since the Unix epoch, exactly."""
    return (datetime.datetime.fromisoformat(utc) - EPOCH) // datetime.timedelta(milliseconds=1)


def text_in(value):
    return value if is_text(value) else ""


def is_hex(value, length):
    return is_text(value) and re.fullmatch(f"[0-9a-f]{{{length}}}", value) is not None


def read_leaf(raw, seq):
    try:
        value = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Bad("leaf_malformed", seq)
    try:
        same = canonical(value).encode("utf-8") == raw
    except (ValueError, RecursionError):
        raise Bad("leaf_malformed", seq)
    if not same:
        raise Bad("leaf_not_canonical", seq)
    if not isinstance(value, dict):
        raise Bad("leaf_malformed", seq)
    if value.get("v") != 1 or isinstance(value.get("v"), bool):
        is_number = isinstance(value.get("v"), int) and not isinstance(value.get("v"), bool)
        raise Bad("version_unsupported" if is_number else "leaf_malformed", seq)
    if list(value) != FIELDS:
        raise Bad("leaf_malformed", seq)
    forms = [
        is_utc(value["at"]),
        is_hex(value["boot"], 16), isinstance(value["data"], dict), value["durability"] in ("strict", "relaxed"),
        is_hex(value["kid"], 8), is_hex(value["ledger"], 32), is_count(value["mono"]), is_hex(value["prev"], 64),
        is_count(value["seq"]), is_text(value["type"]), isinstance(value["parts"], list), isinstance(value["refs"], list),
    ]
    if not all(forms) or not all(is_count(ref) and ref < value["seq"] for ref in value["refs"]):
        raise Bad("leaf_malformed", seq)
    names = []
    for part in value["parts"]:
        whole = isinstance(part, dict) and list(part) == ["c", "e", "name", "size"]
        if not whole or not (is_hex(part["c"], 64) and is_hex(part["e"], 64) and is_count(part["size"])):
            raise Bad("leaf_malformed", seq)
        if not (is_text(part["name"]) and re.fullmatch("[a-z]{1,16}", part["name"])):
            raise Bad("leaf_malformed", seq)
        names.append(part["name"])
    if len(names) > 256 or len(set(names)) != len(names) or (value["type"] == "genesis") != (value["seq"] == 0):
        raise Bad("leaf_malformed", seq)
    if value["type"] in RESERVED:
        raise Bad("version_unsupported", seq)
    form = FORMS.get(value["type"])
    try:
        if form is None or not form(value["data"], {part["name"] for part in value["parts"]}, value["seq"]):
            raise Bad("leaf_malformed", seq)
    except KeyError:
        raise Bad("leaf_malformed", seq)
    return value


# What `data` has to say, by type. A member that is missing is a KeyError.


def is_seq(value, seq):
    return is_count(value) and value < seq


def are_texts(*values):
    return all(is_text(value) for value in values)


def are_outcomes(pairs, seq):
    return isinstance(pairs, list) and all(
        isinstance(pair, list) and len(pair) == 2 and is_seq(pair[0], seq) and is_text(pair[1]) and pair[1] in OUTCOMES
        for pair in pairs
    )


def are_boxes(data):
    to = strict_base64(data["to"]) if is_text(data["to"]) else None
    if to is None or len(to) != 32 or not isinstance(data["boxes"], list):
        return False
    for pair in data["boxes"]:
        if not isinstance(pair, list) or len(pair) != 2 or not is_hex(pair[0], 8) or not is_text(pair[1]):
            return False
        if len(strict_base64(pair[1]) or b"") != 32 + 24 + 48:
            return False
    return True


def hold_form(d, _parts, seq):
    return (
        is_seq(d["decision"], seq) and d["phase"] in ("request", "response") and is_hex(d["digest"], 64)
        and is_count(d["expires"]) and is_count(d["approvals"]) and d["approvals"] >= 1
        and isinstance(d["roles"], list) and are_texts(*d["roles"])
        and isinstance(d["notRequester"], bool) and is_text(d["requester"]) and people_form(d)
    )


def people_form(d):
    needs, steps, glass = d.get("needs", []), d.get("escalation", []), d.get("breakGlass", {"roles": []})
    if not isinstance(glass, dict) or not is_count(glass.get("review", 0)):
        return False
    lists = [glass] + (needs + steps if isinstance(needs, list) and isinstance(steps, list) else [None])
    return (
        all(isinstance(item, dict) and isinstance(item.get("roles"), list) and are_texts(*item["roles"]) for item in lists)
        and all(is_count(need.get("approvals")) and need["approvals"] >= 1 for need in needs)
        and all(is_count(step.get("at")) for step in steps)
    )


def is_signature(value):
    return isinstance(value, dict) and are_texts(value.get("statement"), value.get("value")) and (
        strict_base64(value["value"]) is not None
    )


def are_places(value):
    counts = isinstance(value, list) and value != [] and all(is_count(place) for place in value)
    return counts and all(before < after for before, after in zip(value, value[1:]))


def ruling_form(d, parts, seq):
    return (
        is_seq(d["decision"], seq) and is_seq(d["hold"], seq) and d["verdict"] in ("release", "deny", "amend", "expired")
        and are_texts(d["by"], d["role"]) and d["by"] != "" and is_hex(d["digest"], 64) and isinstance(d["final"], bool)
        and (d["final"] or d["verdict"] == "release") and isinstance(d.get("breakGlass", False), bool)
        and (not d.get("breakGlass", False) or (d["verdict"] == "release" and d["final"])) and ("amendment" in parts) == (d["verdict"] == "amend")
        and ("withheld" not in d or (d["verdict"] == "amend" and are_places(d["withheld"])))
        and is_text(d.get("inStead", "")) and (d.get("inStead", "") == "" or (d["inStead"] != d["by"] and not d.get("breakGlass", False)))
        and ("signature" in d) == ("order" in parts) and ("signature" not in d or is_signature(d["signature"]))
    )


def delivery_form(d, _parts, seq):
    if "outcomes" in d:
        return "decision" not in d and "hold" not in d and are_outcomes(d["outcomes"], seq)
    whose = is_seq(d["decision"], seq) and is_seq(d["hold"], seq)
    return whose and is_hex(d["digest"], 64) and is_count(d["attempt"]) and d["attempt"] >= 1


def recovery_form(d, _parts, seq):
    if not (is_count(d["found"]) and d["found"] <= seq and is_text(d["reason"]) and are_outcomes(d["outcomes"], seq)):
        return False
    if d["reason"] != "restore":
        return True
    first = d["found"] == seq and d["outcomes"] == []
    return first and is_hex(d["backup"], 64) and is_count(d["lost"]) and is_text(d["taken"])


def access_form(d, parts, seq):
    if not are_texts(d["by"], d["role"], d["action"]):
        return False
    if d["action"] in ("comment", "assign", "review", "delegate", "delegation_end"):
        return d["by"] != "" and oversight_form(d, parts, seq)
    if d["action"] == "escalation":
        return is_seq(d["decision"], seq) and is_seq(d["hold"], seq) and is_count(d["step"]) and d["step"] >= 1
    return d["action"] != "redelivery" or (
        is_seq(d["decision"], seq) and is_seq(d["hold"], seq) and is_hex(d["digest"], 64)
    )


def oversight_form(d, parts, seq):
    if d["action"] == "delegate":
        return is_text(d["delegate"]) and d["delegate"] != "" and is_count(d["until"])
    if d["action"] == "delegation_end":
        return is_seq(d["delegation"], seq)
    if not (is_seq(d["decision"], seq) and is_seq(d["hold"], seq)):
        return False
    if d["action"] == "assign":
        return is_text(d["assignee"])
    if d["action"] == "comment":
        return "comment" in parts
    return d["verdict"] in ("justified", "unjustified") and "finding" in parts


def report_form(d):
    if "reported" not in d:
        return True
    told = d["reported"]
    return (
        isinstance(told, dict) and are_texts(*told.values())
        and all(told.get(name, "") != "" for name in ("by", "decider", "id", "outcome"))
        and is_utc(told.get("at"))
        and d["verdict"] in ("pass", "flag") and d.get("recorded", True) and d.get("batch", -1) == -1
    )


def are_known(d, seq):
    """Calls that no rule judged, by place, each with the decision that had let it go."""
    if "known" not in d:
        return True
    pairs, calls = d["known"], d.get("toolCalls")
    if d["verdict"] not in ("pass", "flag"):
        return False
    if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        return False
    in_place = is_count(calls) and are_places([place for place, _ in pairs]) and pairs[-1][0] < calls
    return in_place and all(is_seq(decision, seq) for _, decision in pairs)


NO_FILE = {"credential": "0" * 64, "id": "none"}


def is_judged_file(file):
    return isinstance(file, dict) and sorted(file) == ["credential", "id"] and is_hex(file["credential"], 64) and (
        is_text(file["id"]) and file["id"] != ""
    )


def anchor_form(d, _parts, seq):
    sized = is_count(d["size"]) and 1 <= d["size"] <= seq
    return sized and are_texts(d["anchor"], d["kind"], d["receipt"]) and is_hex(d["root"], 64)


def key_form(d, _parts, seq):
    if not are_texts(d["by"], d["reason"]):
        return False
    if d["action"] in ("enrol", "withdraw"):
        if not are_texts(d["role"], d["key"]) or d["by"] == "" or len(strict_base64(d["key"]) or b"") != 32:
            return False
        if d["action"] == "withdraw":
            return True
        return is_text(d["owner"]) and d["owner"] != "" and is_text(d["possession"]) and strict_base64(d["possession"]) is not None
    if d["action"] == "rotate":
        proofs = [strict_base64(d[name]) if is_text(d[name]) else None for name in ("endorsement", "possession")]
        return is_text(d["key"]) and None not in proofs
    if d["action"] == "revoke":
        return is_text(d["key"]) and is_count(d["size"]) and d["size"] <= seq
    if d["action"] == "escrow":
        return are_boxes(d)
    return d["action"] in ("epoch", "retire") and is_hex(d["kek"], 8) and ("boxes" not in d or are_boxes(d))


def scope_form(scope, seq):
    if not isinstance(scope, dict) or not set(scope) <= {"before", "decision", "match", "rule", "subject"}:
        return False
    if "before" in scope and not is_utc(scope["before"]):
        return False
    named = [name for name in scope if name != "before"]
    if len(named) != 1:
        return False
    value = scope[named[0]]
    if named[0] == "decision":
        return is_seq(value, seq)
    if named[0] == "subject":
        return is_hex(value, 16)
    if named[0] == "rule":
        return is_text(value) and value != ""
    fields = {"model", "operation", "provider", "workload"}
    return isinstance(value, dict) and set(value) <= fields and are_texts(*value.values())


def erasure_form(d, _parts, seq):
    if not are_texts(d["action"], d["by"], d["role"]) or d["by"] == "":
        return False
    if d["action"] == "lift":
        return is_seq(d["hold"], seq)
    if d["action"] not in ("erase", "refuse", "hold") or not scope_form(d["scope"], seq):
        return False
    if d["action"] == "hold":
        return True
    if not (is_text(d["basis"]) and d["basis"] in BASES and isinstance(d["final"], bool) and is_hex(d["request"], 16)):
        return False
    listed = d["targets" if d["action"] == "erase" else "decisions"]
    if not isinstance(listed, list) or len(listed) > TARGETS_MAX:
        return False
    if d["action"] == "refuse":
        grounds = ("open", "legal_hold", "statutory_minimum", "exemption")
        return is_text(d["cites"]) and d["why"] in grounds and all(is_seq(one, seq) for one in listed)
    return all(
        isinstance(pair, list) and len(pair) == 2 and is_seq(pair[0], seq) and is_count(pair[1]) and pair[1] <= 255
        for pair in listed
    )


def are_people(people):
    if not isinstance(people, list) or not all(isinstance(names, list) and are_texts(*names) for names in people):
        return False
    names = [name for person in people for name in person]
    return "" not in names and len(set(names)) == len(names)


FORMS = {
    "genesis": lambda d, _p, _s: are_texts(d["key"], d["origin"], d["product"]),
    "start": lambda d, _p, _s: (
        is_hex(d["config"], 64) and is_hex(d["policy"], 64) and are_texts(d["node"], d["product"], d.get("rulings", ""))
        and are_people(d.get("people", []))
    ),
    "stop": lambda d, _p, _s: is_text(d["reason"]),
    "heartbeat": lambda d, _p, _s: is_count(d["open"]) and is_hex(d["snapshot"], 64),
    "policy": lambda d, _p, _s: is_hex(d["digest"], 64) and d["result"] in ("loaded", "refused") and is_text(d["version"]),
    "request": lambda d, parts, s: (
        "request" in parts and d["verdict"] in VERDICTS and isinstance(d.get("recorded", True), bool)
        and ("batch" not in d or d["batch"] == -1 or is_seq(d["batch"], s)) and report_form(d)
    ),
    "response": lambda d, parts, s: (
        "response" in parts and is_seq(d["decision"], s) and d["verdict"] in VERDICTS and is_judged_file(d.get("file", NO_FILE)) and are_known(d, s)
    ),
    "hold": hold_form, "ruling": ruling_form, "delivery": delivery_form, "recovery": recovery_form,
    "access": access_form, "anchor": anchor_form, "key": key_form, "erasure": erasure_form,
}


# The life of decisions.


class Decisions:
    def __init__(self):
        self.open, self.closed, self.ended, self.reviewers = {}, set(), {}, Reviewers()
        self.alone, self.lent, self.people, self.let_go = {}, {}, {}, set()
        self.carriers = {}

    def names(self, *voices):
        """Every name of these people, as the last start says."""
        return {name for voice in voices if voice for name in self.people.get(voice, [voice])}

    def apply(self, leaf):
        """Applies one entry; what breaks a rule is a code."""
        seq, kind, data = leaf["seq"], leaf["type"], leaf["data"]
        part = {p["name"]: p["c"] for p in leaf["parts"]}
        if kind == "request":
            self.open[seq] = {
                "verdict": data.get("verdict"), "digest": part.get("request", ""), "recorded": data.get("recorded", True),
                "batch": data.get("batch", -1), "reported": "reported" in data, "response": None, "entries": [seq], "holds": {},
            }
            return self.line(seq, self.open[seq], "request", data["verdict"])
        if "outcomes" in data and kind in ("delivery", "recovery"):
            for pair in data["outcomes"]:
                code = self.close(*pair)
                if code:
                    return code
            return None
        if kind == "start":
            self.people = {name: person for person in data.get("people", []) for name in person}
        if kind in ("start", "key"):
            return self.reviewers.apply(leaf, self.names(data["by"]) if kind == "key" else set())
        decision = self.open.get(data["decision"]) if is_count(data.get("decision")) else None
        if decision is not None and kind in ("response", "hold", "ruling", "delivery", "access"):
            decision["entries"].append(seq)
        if kind == "response":
            return self.response(decision, data, part)
        if kind == "hold":
            return self.hold(decision, seq, data)
        if kind == "ruling":
            return self.ruling(decision, leaf, part)
        if kind == "access" and data.get("action") == "escalation":
            return self.escalation(decision, data)
        if kind == "access" and data["action"] in ("comment", "assign", "review", "delegate", "delegation_end"):
            return self.oversight(decision, seq, data)
        if kind == "delivery" or (kind == "access" and data.get("action") == "redelivery"):
            return self.delivery(decision or self.ended.get(data.get("decision")), data, kind, decision is not None)
        return None

    def line(self, seq, decision, half, verdict):
        """A half of a decision that may carry others, or of one that another carried."""
        if decision["batch"] == -1:
            if decision["recorded"] and not decision["reported"]:
                self.carriers.setdefault(seq, {})[half] = STRICTNESS[verdict]
            return None
        judged = self.carriers.get(decision["batch"], {}).get(half, 0)
        return None if judged >= STRICTNESS[verdict] else "line_unfounded"

    @staticmethod
    def may_pass(decision, phase="request"):
        """Whether rules and people let this half of it go on."""
        verdict = decision["verdict"] if phase == "request" else (decision["response"] or {}).get("verdict", "pass")
        holds = [h for h in decision["holds"].values() if h["data"]["phase"] == phase]
        released = all(h["state"] == "released" for h in holds)
        return released and (verdict in ("pass", "flag") or (verdict == "hold" and bool(holds)))

    def response(self, decision, data, part):
        if decision is None:
            return "response_without_request"
        if decision["response"] is not None:
            return "response_repeated"
        passed = self.may_pass(decision)
        calls = data["toolCalls"] if is_count(data.get("toolCalls")) else 0
        decision["response"] = {"verdict": data["verdict"], "digest": part.get("response", ""), "calls": calls}
        if not passed:
            return "response_without_release"
        if not all(known in self.let_go for _, known in data.get("known", [])):
            return "known_call_unfounded"
        return self.line(data["decision"], decision, "response", data["verdict"])

    @staticmethod
    def hold(decision, seq, data):
        if decision is None:
            return "hold_without_request"
        held = decision["digest"] if data["phase"] == "request" else (decision["response"] or {}).get("digest", "")
        decision["holds"][seq] = {
            "data": data, "approvals": [], "escalated": 0, "state": "pending", "releasable": data["digest"], "attempts": 0,
        }
        return None if held == data["digest"] else "hold_digest_mismatch"

    def ruling(self, decision, leaf, part):
        data = leaf["data"]
        hold = decision and decision["holds"].get(data.get("hold"))
        if not hold:
            return "ruling_without_hold"
        terms, verdict = hold["data"], data["verdict"]
        if hold["state"] != "pending":
            return "ruling_after_final"
        if data["digest"] != terms["digest"]:
            return "ruling_digest_mismatch"
        further = [role for step in terms.get("escalation", [])[:hold["escalated"]] for role in step["roles"]]
        alone = data.get("breakGlass", False)
        allowed = terms.get("breakGlass", {"roles": []})["roles"] if alone else terms["roles"] + further
        if not (data["by"] == "holdpoint" if verdict == "expired" else data["role"] in allowed):
            return "ruling_role_not_allowed"
        unsigned = self.reviewers.ruling(leaf, terms)
        if unsigned:
            return unsigned
        stead = data.get("inStead", "")
        if stead and not self.covers(leaf, stead):
            return "ruling_not_delegated"
        if verdict in ("deny", "expired"):
            hold["state"] = "denied" if verdict == "deny" else "expired"
            return None
        if (terms["notRequester"] or alone) and terms["requester"] in self.names(data["by"], stead):
            return "ruling_requester"
        if "amendment" in part:
            hold["approvals"].clear()
            hold["releasable"] = part["amendment"]
        hold["approvals"].append((data["by"], stead, data["role"]))
        if not data["final"]:
            return None
        hold["state"] = "released"
        if alone:
            self.alone[data["hold"]] = (data["decision"], data["by"], terms["requester"])
            return None if "reason" in part else "break_glass_without_reason"
        counted, spoken = [], set()
        for by, other, role in hold["approvals"]:
            if not self.names(by, other) & spoken:
                counted.append(role)
            spoken |= {by, other} - {""}
        short = [
            need for need in terms.get("needs", [])
            if sum(role in need["roles"] + further for role in counted) < need["approvals"]
        ]
        return "quorum_not_met" if short or len(counted) < terms["approvals"] else None

    def covers(self, leaf, stead):
        data = leaf["data"]
        at = milliseconds(leaf["at"])
        return any(
            (one["by"], one["delegate"], one["role"]) == (stead, data["by"], data["role"]) and at <= one["until"] + 60_000
            for one in self.lent.values()
        )

    def oversight(self, decision, seq, data):
        """What people do about holds besides ruling."""
        action, by = data["action"], data["by"]
        if action in ("comment", "assign"):
            hold = decision and decision["holds"].get(data["hold"])
            waits = hold and hold["state"] == "pending"
            return None if waits else "comment_unfounded" if action == "comment" else "assignment_unfounded"
        if action == "review":
            alone = self.alone.get(data["hold"])
            if alone is None or alone[0] != data["decision"]:
                return "review_unfounded"
            del self.alone[data["hold"]]
            return "review_not_independent" if self.names(by) & set(alone[1:]) else None
        if action == "delegate":
            self.lent[seq] = data
            return "delegation_unfounded" if data["delegate"] in self.names(by) else None
        begun = self.lent.pop(data["delegation"], None)
        theirs = begun is not None and (by in (begun["by"], "holdpoint") or data["role"] == "admin")
        return None if theirs else "delegation_unfounded"

    @staticmethod
    def escalation(decision, data):
        hold = decision and decision["holds"].get(data["hold"])
        steps = hold["data"].get("escalation", []) if hold else []
        if not hold or hold["state"] != "pending" or data["step"] != hold["escalated"] + 1 or data["step"] > len(steps):
            return "escalation_unfounded"
        hold["escalated"] = data["step"]
        return None

    def delivery(self, decision, data, kind, is_open):
        hold = decision and decision["holds"].get(data.get("hold"))
        # First handed over while the decision is open, and by no redelivery.
        is_due = hold and hold["state"] == "released" and (hold["attempts"] > 0 or (kind == "delivery" and is_open))
        if not is_due or not self.may_pass(decision, hold["data"]["phase"]):
            return "delivery_without_ruling"
        if data["digest"] != hold["releasable"]:
            return "delivery_digest_mismatch"
        if kind == "delivery":
            if data["attempt"] != hold["attempts"] + 1:
                return "delivery_repeated"
            hold["attempts"] += 1
            # Released as it came: of an amended answer the provider keeps its own.
            if hold["data"]["phase"] == "response" and hold["releasable"] == hold["data"]["digest"] and decision["response"]["calls"]:
                self.let_go.add(data["decision"])
        return None

    def close(self, seq, outcome):
        decision = self.open.pop(seq, None)
        if decision is None:
            return "outcome_repeated" if seq in self.closed else "outcome_without_request"
        self.closed.add(seq)
        # Only what was handed over once may be handed over again.
        if any(hold["attempts"] > 0 for hold in decision["holds"].values()):
            self.ended[seq] = decision
        return None if outcome in OUTCOMES and self.fits(decision, outcome) else "outcome_contradicts"

    def fits(self, decision, outcome):
        holds = list(decision["holds"].values())
        states = {hold["state"] for hold in holds}
        response = decision["response"]
        verdicts = {decision["verdict"], response["verdict"] if response else "pass"}
        handed_over = any(hold["attempts"] > 0 and hold["data"]["phase"] == "response" for hold in holds)
        if decision["reported"] and outcome not in ("reported", "interrupted", "ledger_unavailable"):
            return False
        if outcome == "reported":
            return decision["reported"] and not holds and verdicts <= {"pass", "flag"}
        if outcome == "delivered":
            answers = [hold for hold in holds if hold["data"]["phase"] == "response"]
            return (
                (response is not None or not decision["recorded"]) and self.may_pass(decision) and self.may_pass(decision, "response")
                and all(hold["attempts"] > 0 for hold in answers)
            )
        if outcome == "denied":
            refused_at_once = decision["verdict"] == "hold" and not holds and response is None
            return ("deny" in verdicts or "denied" in states or refused_at_once) and not handed_over
        if outcome == "expired":
            return "expired" in states and not handed_over
        if outcome == "released_undelivered":
            return "released" in states and not handed_over
        if outcome in ("upstream_error", "upstream_truncated"):
            return self.may_pass(decision)
        if outcome == "carried":
            return decision["batch"] != -1 and not holds
        return True


# Keys of reviewers, and the rulings they signed.


def holds(message, signature, key):
    return why_unsigned(message, strict_base64(signature), {"public": strict_base64(key)}) is None


class Reviewers:
    def __init__(self):
        self.keys, self.owners, self.must_sign = {}, set(), False

    def apply(self, leaf, names):
        """Takes a start, an enrolment or a withdrawal, by whoever has these names; the first rule it breaks is a code."""
        data = leaf["data"]
        if leaf["type"] == "start":
            self.must_sign = data.get("rulings", "") == "signed"
        if leaf["type"] != "key" or data["action"] not in ("enrol", "withdraw"):
            return None
        if data["action"] == "withdraw":
            known = self.keys.get(data["key"])
            if known is None or known["withdrawn"]:
                return "enrolment_unknown"
            known["withdrawn"] = True
            return None if data["by"] == known["owner"] or data["role"] == "admin" else "enrolment_not_allowed"
        owner, key, codes = data["owner"], data["key"], []
        message = f"holdpoint/enrol/1\0holdpoint/{leaf['ledger']}\n{owner}\n{key}\n".encode()
        if not holds(message, data["possession"], key):
            codes.append("enrolment_unproven")
        if owner in self.owners if data["by"] == owner else data["role"] != "admin" or owner in names:
            codes.append("enrolment_not_allowed")
        if key in self.keys:
            codes.append("enrolment_repeated")
        else:
            self.keys[key] = {"owner": owner, "withdrawn": False}
            self.owners.add(owner)
        return codes[0] if codes else None

    def ruling(self, leaf, terms):
        """What a ruling by a person says of its signature."""
        data = leaf["data"]
        if data["verdict"] == "expired":
            return None
        if "signature" not in data:
            return "ruling_unsigned" if self.must_sign else None
        text = data["signature"]["statement"]
        if not self.says(text, leaf, terms):
            return "ruling_statement_mismatch"
        statement = json.loads(text)
        known = self.keys.get(statement["key"])
        if known is None or known["withdrawn"] or known["owner"] != data["by"]:
            return "ruling_key_unknown"
        signed = holds(f"holdpoint/ruling/1\0{text}".encode(), data["signature"]["value"], statement["key"])
        return None if signed else "ruling_signature_invalid"

    @staticmethod
    def says(text, leaf, terms):
        try:
            statement = json.loads(text)
            if canonical(statement) != text:
                return False
            if not is_utc(statement["time"]) or statement["v"] is True:
                return False
            drift = abs(milliseconds(statement["time"]) - milliseconds(leaf["at"]))
        except (ValueError, RecursionError, KeyError, TypeError):
            return False
        data, prefix = leaf["data"], leaf["ledger"][:8]
        listed = terms.get("rules", [])
        rules = [text_in(rule.get("id")) if isinstance(rule, dict) else "" for rule in (listed if isinstance(listed, list) else [])]
        expected = {
            "by": data["by"], "decision": f"d-{prefix}-{data['decision']}", "digest": terms["digest"],
            "hold": f"h-{prefix}-{data['hold']}", "policy": text_in(terms.get("policy")),
            "policyVersion": text_in(terms.get("policyVersion")), "rules": rules[:32], "v": 1, "verdict": "release" if "withheld" in data else data["verdict"],
            "key": statement.get("key"), "order": statement.get("order"), "time": statement["time"],
        }
        return statement == expected and is_text(statement["key"]) and is_hex(statement["order"], 64) and drift <= 600_000


# Erasures and legal holds.

OF_A_DECISION = ("response", "hold", "ruling", "delivery", "access")


class Erasures:
    def __init__(self):
        self.parts, self.owners, self.absent, self.named, self.holds = {}, {}, set(), set(), {}

    def apply(self, leaf, opened):
        """Takes one entry; the first rule it breaks is a code."""
        seq, data, codes = leaf["seq"], leaf["data"], []
        self.parts[seq] = len(leaf["parts"])
        if leaf["type"] != "erasure":
            decision = data.get("decision") if leaf["type"] in OF_A_DECISION else None
            self.owners[seq] = decision if is_seq(decision, seq) else seq
            return None
        scope = data.get("scope", {})
        scheduled = data["by"] == "holdpoint" and "rule" in scope and data["action"] in ("erase", "refuse")
        if not (scheduled if data["role"] == "retention" else data["role"] in ("privacy", "admin")):
            codes.append("erasure_role_not_allowed")
        if data["action"] == "hold":
            self.holds[seq] = scope.get("decision", -1)
        if data["action"] == "lift" and self.holds.pop(data["hold"], None) is None:
            codes.append("legal_hold_unknown")
        for target, part in data["targets"] if data["action"] == "erase" else []:
            if (target, part) in self.named:
                codes.append("erasure_repeated")
            self.named.add((target, part))
            if part >= self.parts.get(target, 0):
                codes.append("erasure_target_unknown")
            owner = self.owners.get(target, target)
            if owner in opened:
                codes.append("erasure_decision_open")
            if owner in self.holds.values():
                codes.append("erasure_under_legal_hold")
        return codes[0] if codes else None

    def settle(self):
        for seq, part in sorted(self.absent - self.named):
            raise Bad("body_missing", seq)


# The chain of signing keys.


class Keys:
    """`spans` in order: each key, from which size on, up to which, and down to which it was revoked and by what."""

    def __init__(self):
        self.spans, self.incoming, self.early = [], None, None

    @property
    def current(self):
        return self.spans[-1]["key"]

    def begin(self, key, size=0):
        self.spans.append({"key": key, "from": size, "to": None, "revoked": None, "by": -1})

    def check(self, key_hash, seq):
        """An entry or checkpoint under another key than the one in use. Whose key it is may be told by a later rotation."""
        if key_hash == self.current["hash"]:
            return
        if any(span["key"]["hash"] == key_hash for span in self.spans):
            raise Bad("key_used_late", seq)
        if self.early is None:
            self.early = (key_hash, Bad("key_unknown", seq))

    def rotate(self, leaf):
        seq, data, old = leaf["seq"], leaf["data"], self.current
        try:
            new = parse_key(data["key"])
        except Bad as found:
            raise Bad(found.code, seq)
        if self.early and self.early[0] == new["hash"]:
            raise Bad("key_used_early", self.early[1].seq)
        if new["origin"] != old["origin"]:
            raise Bad("ledger_mismatch", seq)
        if any(span["key"]["hash"] == new["hash"] for span in self.spans):
            raise Bad("rotation_to_former_key", seq)
        statement = f"holdpoint/rotate/1\0{leaf['ledger']}\n{seq}\n{old['text']}\n{new['text']}\n".encode()
        if why_unsigned(statement, strict_base64(data["endorsement"]), old):
            raise Bad("rotation_not_endorsed", seq)
        if why_unsigned(statement, strict_base64(data["possession"]), new):
            raise Bad("rotation_without_possession", seq)
        self.incoming = new

    def revoke(self, seq, data):
        span = next((span for span in self.spans if span["key"]["text"] == data["key"]), None)
        if span is None or span["to"] is None or data["size"] > span["to"]:
            raise Bad("revocation_unfounded", seq)
        if span["revoked"] is None or data["size"] < span["revoked"]:
            span["revoked"], span["by"] = data["size"], seq

    def end_block(self, size):
        if self.incoming:
            self.spans[-1]["to"] = size
            self.begin(self.incoming, size)
        self.incoming = None

    def check_note(self, note, seq):
        """Signed by the key in use, and by both at a rotation."""
        due = [self.current] + ([self.incoming] if self.incoming else [])
        signatures = note["signatures"]
        if any(signature["name"] != note["origin"] for signature in signatures):
            raise Bad("key_unknown", seq)
        if len(signatures) > len(due):
            raise Bad("note_malformed", seq)
        if len(due) == 2 and [signature["hash"] for signature in signatures] != [key["hash"] for key in due]:
            raise Bad("boundary_half_signed", seq)
        if len(due) == 1:
            self.check(signatures[0]["hash"], seq)
        if any(len(signature["bytes"]) != 64 for signature in signatures):
            raise Bad("signature_invalid", seq)
        for key in due if len(due) == 2 else []:
            check_signature(note, [key], seq)
        return due

    def at(self, size):
        return [span["key"] for span in self.spans if span["from"] <= size and (span["to"] is None or size <= span["to"])]

    def trusted_among(self, trusted):
        texts = [key["text"] for key in trusted]
        known = [span for span in self.spans if span["key"]["text"] in texts]
        if trusted and not known:
            raise Bad("key_unknown", 0)
        return known

    def check_revocations(self, vouching, remembered):
        """What rests on a revoked key alone, unless a kept checkpoint of that size remembers it."""
        for span in self.spans:
            if span["revoked"] is not None and max(span["revoked"], remembered) < span["to"]:
                raise Bad("key_revoked", max(span["revoked"], remembered))
        lost = [span for span in vouching if span["revoked"] is not None and remembered < span["to"]]
        if lost and len(lost) == len(vouching):
            raise Bad("key_revoked", lost[0]["by"])


# A block whose root disagrees with its checkpoint.


class Suspect:
    """Its entries, and what is known of which was altered: the entry after each names the hash it was sealed with."""

    def __init__(self, seq, before, hashes, prevs, root, breaks):
        self.seq, self.before, self.hashes, self.prevs, self.root, self.breaks = seq, before, hashes, prevs, root, breaks

    def altered(self, next_prev=None):
        """The first entry that was altered; None where putting the named hashes back does not make the root come out."""
        prevs = self.prevs + [next_prev]
        claimed = [at for at, prev in enumerate(prevs) if prev is not None and prev != self.hashes[at].hex()]
        trials = [[at] for at in claimed[:TRIALS_MAX]] + ([claimed] if len(claimed) > 1 else [])
        for trial in trials:
            tree = self.before.copy()
            for at, leaf_hash in enumerate(self.hashes):
                tree.append(bytes.fromhex(prevs[at]) if at in trial else leaf_hash)
            if tree.root() == self.root:
                return self.seq + trial[0]
        return None

    def verdict(self, next_prev=None, signed=False):
        altered = self.altered(next_prev)
        if altered is not None:
            return Bad("entry_altered", altered)
        if self.breaks:
            return Bad("chain_broken", self.breaks[0])
        return Bad("entry_altered" if signed and len(self.hashes) == 1 else "root_mismatch", self.seq)


# The whole.


def noted(records, seen):
    for record in records:
        seen.append(record)
        yield record


def unto_fault(records):
    try:
        yield from records
    except Bad:
        return


def readable(value, first):
    """The entries of a block that can be read, up to one that stands where another belongs."""
    try:
        raw_leaves = read_block(value, first)[0]
    except Bad:
        return
    for at, raw in enumerate(raw_leaves):
        try:
            leaf = read_leaf(raw, first + at)
        except Bad:
            continue
        if leaf["seq"] != first + at:
            return
        yield leaf


def names(rotation, key_hash):
    try:
        return parse_key(rotation["data"]["key"])["hash"] == key_hash
    except Bad:
        return False


class Verifier:
    def __init__(self, trusted, kept=None):
        self.trusted, self.kept = trusted, kept
        self.tree, self.decisions, self.erasures, self.keys = Tree(), Decisions(), Erasures(), Keys()
        self.prev, self.ledger, self.boot, self.mono = NO_PREV, None, None, 0
        self.note, self.due, self.note_seq, self.roots, self.ends = None, [], 0, {}, {}
        self.block_seq, self.bodies, self.snapshots = -1, None, []
        self.suspect = None

    def run(self, records):
        """Raises the first cause. A key that nobody knew is one only when no rotation brought it in after all."""
        records, seen = iter(records), []
        try:
            self.take(noted(records, seen))
        except Bad as found:
            if found.code == "key_used_early" or not self.keys.early:
                raise
            key_hash, early = self.keys.early
            comes = self.comes(key_hash, early.seq, seen) or self.comes(key_hash, early.seq, unto_fault(records))
            raise Bad("key_used_early", early.seq) if comes else early
        if self.keys.early:
            raise self.keys.early[1]

    def comes(self, key_hash, seq, records):
        """Whether a rotation from that entry on brings the key in, behind whatever else is wrong."""
        for key, value in records:
            first, kind = struct.unpack(">QB", key)
            for leaf in readable(value, first) if kind == 1 else []:
                is_rotation = leaf["type"] == "key" and leaf["data"]["action"] == "rotate"
                if is_rotation and leaf["seq"] >= seq and leaf["ledger"] == self.ledger and names(leaf, key_hash):
                    return True
        return False

    def take(self, records):
        last = (-1, 0)
        for key, value in records:
            seq, kind = struct.unpack(">QB", key)
            if not 1 <= kind <= 3 or seq > 2**53 - 1:
                raise Bad("record_key_malformed", self.tree.size)
            if (seq, kind) <= last:
                raise Bad("duplicate" if (seq, kind) == last else "out_of_order", seq)
            last = (seq, kind)
            if kind == 1:
                self.close_block()
                self.block(seq, value)
            elif kind == 2:
                self.check_bodies(seq, value)
            else:
                self.snapshot(seq, value)
        self.close_block()
        if self.tree.size == 0:
            raise Bad("ledger_empty")
        for key in [] if self.keys.early else self.due:
            check_signature(self.note, [key], self.note_seq)
        if self.suspect:
            raise self.suspect.verdict(signed=True)
        self.erasures.settle()
        vouching = self.keys.trusted_among(self.trusted)
        self.keys.check_revocations(vouching, self.check_kept())

    def block(self, seq, value):
        if seq != self.tree.size:
            raise Bad("gap", self.tree.size) if seq > self.tree.size else Bad("duplicate", seq)
        raw_leaves, raw_note = read_block(value, seq)
        leaves = [read_leaf(raw, seq + at) for at, raw in enumerate(raw_leaves)]
        hashes = [sha256(b"\x00", raw) for raw in raw_leaves]
        if self.suspect:
            raise self.suspect.verdict(leaves[0]["prev"])
        for at, leaf in enumerate(leaves):
            if leaf["seq"] != seq + at:
                raise Bad("seq_mismatch", seq + at)
            self.leaf(leaf)
        note = parse_note(raw_note, seq)
        if note["origin"] != f"holdpoint/{self.ledger}":
            raise Bad("ledger_mismatch", seq)
        if note["size"] != seq + len(leaves):
            raise Bad("checkpoint_size_mismatch", seq)
        self.due = self.keys.check_note(note, seq)
        self.note, self.note_seq = note, seq
        self.chain(seq, leaves, hashes)
        if self.suspect is None:
            self.judge(leaves, hashes)
        else:
            for leaf in leaves:
                self.await_snapshot(leaf, None)
        self.prev = hashes[-1].hex()
        self.block_seq = seq
        self.bodies = [(leaf["seq"], index, part) for leaf in leaves for index, part in enumerate(leaf["parts"])]
        self.keys.end_block(self.tree.size)
        self.ends[self.tree.size] = self.tree.root()
        if len(self.ends) > ANCHORED_BLOCKS_MAX:
            del self.ends[next(iter(self.ends))]

    def chain(self, seq, leaves, hashes):
        """The root first: where it disagrees, the block is suspect until the entry after it says more."""
        before = [self.prev] + [leaf_hash.hex() for leaf_hash in hashes[:-1]]
        breaks = [leaf["seq"] for leaf, prev in zip(leaves, before) if leaf["prev"] != prev]
        grown = self.tree.copy()
        for leaf_hash in hashes:
            grown.append(leaf_hash)
        if grown.root() != self.note["root"]:
            prevs = [leaf["prev"] for leaf in leaves[1:]]
            self.suspect = Suspect(seq, self.tree, hashes, prevs, self.note["root"], breaks)
            if self.suspect.altered() is not None:
                raise self.suspect.verdict()
            self.tree = grown
        elif breaks:
            raise Bad("chain_broken", breaks[0])

    def judge(self, leaves, hashes):
        """What the entries mean, one after the other."""
        for leaf, leaf_hash in zip(leaves, hashes):
            self.snapshot_state(leaf)
            self.rules(leaf)
            self.tree.append(leaf_hash)
            self.roots[self.tree.size] = self.tree.root()
            self.prev = leaf_hash.hex()

    def leaf(self, leaf):
        """Whether an entry belongs where it stands: its ledger, its key, its clock."""
        seq, data = leaf["seq"], leaf["data"]
        if self.ledger is None:
            self.ledger = leaf["ledger"]
        if leaf["ledger"] != self.ledger:
            raise Bad("ledger_mismatch", seq)
        if seq == 0:
            if data["origin"] != f"holdpoint/{self.ledger}":
                raise Bad("ledger_mismatch", 0)
            try:
                key = parse_key(data["key"])
            except Bad as found:
                raise Bad(found.code, 0)
            if key["origin"] != f"holdpoint/{self.ledger}" or data["origin"] != key["origin"]:
                raise Bad("ledger_mismatch", 0)
            self.keys.begin(key)
        if self.keys.incoming:
            raise Bad("key_used_late", seq)
        self.keys.check(leaf["kid"], seq)
        if leaf["type"] == "key" and data["action"] == "revoke":
            self.keys.revoke(seq, data)
        if leaf["type"] == "key" and data["action"] == "rotate":
            self.keys.rotate(leaf)
        if leaf["boot"] == self.boot and leaf["mono"] < self.mono:
            raise Bad("mono_decreased", seq)
        self.boot, self.mono = leaf["boot"], leaf["mono"]

    def rules(self, leaf):
        codes = [self.erasures.apply(leaf, self.decisions.open), self.anchor(leaf), self.decisions.apply(leaf)]
        code = next((code for code in codes if code), None)
        if code:
            raise Bad(code, leaf["seq"])

    def anchor(self, leaf):
        """What an anchor took note of must be a state that the ledger had."""
        if leaf["type"] != "anchor":
            return None
        size, root = leaf["data"]["size"], self.ends.get(leaf["data"]["size"])
        if root is None:
            # What lies further back than the ends that are remembered is not compared.
            forgotten = len(self.ends) == ANCHORED_BLOCKS_MAX and size < next(iter(self.ends))
            return None if forgotten else "anchor_mismatch"
        return "anchor_mismatch" if root.hex() != leaf["data"]["root"] else None

    def check_bodies(self, seq, value):
        """Items and the parts they belong to, both in order: a part passed over is absent, an item passed over nobody's."""
        if seq != self.block_seq or self.bodies is None:
            raise Bad("body_unexpected", seq)
        due, self.bodies = self.bodies, None
        for at, index, ciphertext in read_bodies(value, seq):
            while due and due[0][:2] < (at, index):
                self.erasures.absent.add(due.pop(0)[:2])
            if not due or due[0][:2] != (at, index):
                raise Bad("body_unexpected", at)
            part = due.pop(0)[2]
            e = sha256(b"holdpoint/ct/1\x00", ciphertext).hex()
            if e != part["e"] or len(ciphertext) != part["size"] + 16:
                raise Bad("body_altered", at)
        self.erasures.absent.update(entry[:2] for entry in due)

    def snapshot_state(self, leaf):
        if leaf["type"] != "heartbeat":
            return
        opened = [[seq, decision["entries"]] for seq, decision in self.decisions.open.items()]
        state = {"frontier": [n.hex() for n in self.tree.frontier], "open": opened, "prev": self.prev,
                 "size": leaf["seq"], "v": 1}
        self.await_snapshot(leaf, canonical(state))
        if leaf["data"]["open"] != len(opened):
            raise Bad("snapshot_mismatch", leaf["seq"])

    def await_snapshot(self, leaf, expected):
        """A block has one heartbeat at most; what its snapshot must say is not known where the block is suspect."""
        if leaf["type"] != "heartbeat":
            return
        if self.snapshots:
            raise Bad("snapshot_mismatch", leaf["seq"])
        self.snapshots.append((leaf["seq"], leaf["data"]["snapshot"], expected))

    def snapshot(self, seq, value):
        awaited = next((entry for entry in self.snapshots if entry[0] == seq), None)
        if awaited is None and self.suspect:
            return
        try:
            same = awaited is not None and sha256(value).hex() == awaited[1] and (
                awaited[2] is None or canonical(json.loads(value.decode("utf-8"))) == awaited[2]
            )
        except (ValueError, RecursionError):
            same = False
        if not same:
            raise Bad("snapshot_mismatch", seq)
        self.snapshots.remove(awaited)

    def close_block(self):
        self.erasures.absent.update(entry[:2] for entry in self.bodies or [])
        self.bodies = None
        if self.snapshots:
            raise Bad("snapshot_mismatch", self.snapshots[0][0])

    def check_kept(self):
        """The size that a kept checkpoint remembers, 0 without one."""
        if self.kept is None:
            return 0
        if self.kept["origin"] != f"holdpoint/{self.ledger}":
            raise Bad("checkpoint_not_in_ledger")
        check_signature(self.kept, self.keys.at(self.kept["size"]), -1)
        if self.kept["size"] > self.tree.size:
            raise Bad("truncated_by_checkpoint", self.tree.size)
        if self.kept["size"] > 0 and self.roots[self.kept["size"]] != self.kept["root"]:
            raise Bad("checkpoint_not_in_ledger", self.kept["size"] - 1)
        return self.kept["size"]


# Tiles: the same leaves from another layout, and the hashes beside them.


def tile_path(index):
    digits = str(index)
    digits = digits.zfill((len(digits) + 2) // 3 * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])


def read_tile(folder, level, index, width):
    name = f"tile/{level}/{tile_path(index)}" + ("" if width == 256 else f".p/{width}")
    try:
        with open(os.path.join(folder, name), "rb") as file:
            return file.read()
    except OSError:
        raise Bad("store_unreadable", -1, f"{name} is missing")


def verify_tiles(folder, trusted):
    with open(os.path.join(folder, "checkpoint"), "rb") as file:
        note = parse_note(file.read(), -1)
    tree, keys, prev, level_hashes = Tree(), Keys(), NO_PREV, []
    for index in range((note["size"] + 255) // 256):
        width = min(256, note["size"] - 256 * index)
        bundle, hashes, at = read_tile(folder, "entries", index, width), [], 0
        while at + 2 <= len(bundle):
            end = at + 2 + struct.unpack(">H", bundle[at : at + 2])[0]
            raw = bundle[at + 2 : end]
            leaf = read_leaf(raw, tree.size)
            if leaf["seq"] != tree.size or leaf["prev"] != prev:
                raise Bad("chain_broken", tree.size)
            if note["origin"] != f"holdpoint/{leaf['ledger']}":
                raise Bad("ledger_mismatch", tree.size)
            if tree.size == 0:
                keys.begin(parse_key(leaf["data"]["key"]))
            # There are no blocks in tiles: the entry of a rotation ends the time of the old key by itself.
            keys.check(leaf["kid"], tree.size)
            if leaf["type"] == "key" and leaf["data"]["action"] == "rotate":
                keys.rotate(leaf)
                keys.end_block(tree.size + 1)
            hashes.append(sha256(b"\x00", raw))
            prev = hashes[-1].hex()
            tree.append(hashes[-1])
            at = end
        if at != len(bundle) or len(hashes) != width:
            raise Bad("block_malformed", 256 * index)
        level_hashes += hashes
    if tree.root() != note["root"]:
        raise Bad("root_mismatch", note["size"] - 1)
    if keys.early:
        raise keys.early[1]
    keys.trusted_among(trusted)
    check_signature(note, keys.at(note["size"]), note["size"] - 1)
    check_levels(folder, level_hashes)
    return tree


def check_levels(folder, hashes):
    level = 0
    while hashes:
        above = []
        for index in range((len(hashes) + 255) // 256):
            row = hashes[256 * index : 256 * index + 256]
            if read_tile(folder, level, index, len(row)) != b"".join(row):
                raise Bad("root_mismatch", -1, f"tile {level}/{index} is not of these entries")
            if len(row) == 256:
                subtree = Tree()
                for node in row:
                    subtree.append(node)
                above.append(subtree.root())
        hashes, level = above, level + 1


def main(arguments):
    options = {"--trust": None, "--checkpoint": None}
    paths = []
    while arguments:
        word = arguments.pop(0)
        if word in options and arguments:
            options[word] = arguments.pop(0)
        else:
            paths.append(word)
    if len(paths) != 1 or not os.path.exists(paths[0]):
        print(__doc__, file=sys.stderr)
        return 2
    verdict = {"ok": True, "size": 0, "root": "", "findings": []}
    tree = Tree()
    try:
        trusted = [parse_key(options["--trust"])] if options["--trust"] else []
        if os.path.isdir(paths[0]):
            tree = verify_tiles(paths[0], trusted)
        else:
            kept = None
            if options["--checkpoint"]:
                with open(options["--checkpoint"], "rb") as file:
                    kept = parse_note(file.read(), -1)
            verifier = Verifier(trusted, kept)
            tree = verifier.tree
            verifier.run(read_stream(paths[0]))
    except Bad as found:
        verdict["ok"] = False
        verdict["findings"].append({"code": found.code, "seq": found.seq, "message": str(found)})
    verdict["size"], verdict["root"] = tree.size, base64.b64encode(tree.root()).decode()
    print(json.dumps(verdict))
    return 0 if verdict["ok"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
