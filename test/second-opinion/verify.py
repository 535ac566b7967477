#!/usr/bin/env python3
"""A second opinion on a Holdpoint ledger, written from src/ledger/FORMAT.md alone.

    verify.py [--trust KEY] [--checkpoint FILE] PATH

PATH is a file of `holdpoint ledger export`, or a directory of `holdpoint ledger export-tiles`. Prints a verdict
as JSON and exits 0 when it is ok, 1 when it is not, 2 when it was called wrongly. Python 3 and its standard library; Ed25519
is the `openssl` command's. Reason codes are those of `holdpoint verify`; the first names the cause.
"""

import base64
import binascii
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
    "upstream_truncated", "interrupted", "ledger_unavailable", "carried",
}
FIELDS = ["at", "boot", "data", "durability", "kid", "ledger", "mono", "parts", "prev", "refs", "seq", "type", "v"]
RESERVED = {"erasure", "key", "document", "finding"}
NO_PREV = "0" * 64


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
    match = re.fullmatch(r"([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)", text)
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
    body, blank, lines = text.partition("\n\n")
    head = re.fullmatch(r"([!-*,-~]{1,255})\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)", body.rstrip("\n") if not blank else body)
    root = strict_base64(head[3]) if head else None
    if root is None:
        raise Bad("note_malformed", seq)
    if not blank or lines == "":
        raise Bad("signature_missing", seq)
    line = re.fullmatch("\u2014 ([^+\\s]+) ([A-Za-z0-9+/=]+)\n", lines)
    signature = strict_base64(line[2]) if line else None
    if signature is None or len(signature) < 5:
        raise Bad("note_malformed", seq)
    return {
        "text": (body + "\n").encode(), "origin": head[1], "size": int(head[2]), "root": root,
        "name": line[1], "hash": signature[:4].hex(), "signature": signature[4:],
    }


def check_signature(note, keys, seq):
    key = next((k for k in keys if k["origin"] == note["name"] and k["hash"] == note["hash"]), None)
    if key is None:
        raise Bad("key_unknown", seq)
    if len(note["signature"]) != 64:
        raise Bad("signature_invalid", seq)
    if int.from_bytes(note["signature"][32:], "little") >= GROUP_ORDER:
        raise Bad("signature_malleable", seq)
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: os.path.join(folder, name) for name in ("key", "text", "signature")}
        spki = bytes.fromhex("302a300506032b6570032100") + key["public"]
        for name, content in (("key", spki), ("text", note["text"]), ("signature", note["signature"])):
            with open(paths[name], "wb") as file:
                file.write(content)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", paths["key"],
                   "-rawin", "-in", paths["text"], "-sigfile", paths["signature"]]
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            raise Bad("signature_invalid", seq)


# The stream of records.


def read_stream(path):
    with open(path, "rb") as file:
        if file.read(16) != b"HPJ1" + bytes(12):
            raise Bad("store_unreadable", 0, "it does not begin as a stream of version 1")
        while head := file.read(8):
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
    cursor.take(cursor.number(1))
    cursor.take(12)
    wrapped = cursor.sized()
    items = [(cursor.number(8), cursor.number(1), cursor.sized()) for _ in range(cursor.number(4))]
    cursor.end()
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
        raise Bad("version_unsupported" if is_count(value.get("v")) else "leaf_malformed", seq)
    if list(value) != FIELDS:
        raise Bad("leaf_malformed", seq)
    forms = [
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value["at"]) if is_text(value["at"]) else None,
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
    return value


# The life of decisions.


class Decisions:
    def __init__(self):
        self.open, self.closed, self.ended = {}, set(), {}

    def apply(self, leaf):
        """Applies one entry; what breaks a rule is a code."""
        seq, kind, data = leaf["seq"], leaf["type"], leaf["data"]
        part = {p["name"]: p["c"] for p in leaf["parts"]}
        if kind == "request":
            self.open[seq] = {
                "verdict": data.get("verdict"), "digest": part.get("request", ""), "recorded": data.get("recorded", True),
                "batch": data.get("batch", -1), "response": None, "entries": [seq], "holds": {},
            }
            return None
        if "outcomes" in data and kind in ("delivery", "recovery"):
            for pair in data["outcomes"]:
                code = self.close(*pair)
                if code:
                    return code
            return None
        decision = self.open.get(data.get("decision"))
        if decision is not None and kind in ("response", "hold", "ruling", "delivery", "access"):
            decision["entries"].append(seq)
        if kind == "response":
            return self.response(decision, data, part)
        if kind == "hold":
            return self.hold(decision, seq, data)
        if kind == "ruling":
            return self.ruling(decision, data, part)
        if kind == "delivery" or (kind == "access" and data.get("action") == "redelivery"):
            return self.delivery(decision or self.ended.get(data.get("decision")), data, kind)
        return None

    @staticmethod
    def may_pass(decision):
        holds = [h for h in decision["holds"].values() if h["data"]["phase"] == "request"]
        released = all(h["state"] == "released" for h in holds)
        return decision["verdict"] in ("pass", "flag") or (decision["verdict"] == "hold" and bool(holds) and released)

    def response(self, decision, data, part):
        file = data.get("file", {"credential": "0" * 64, "id": "none"})
        if not (isinstance(file, dict) and sorted(file) == ["credential", "id"] and is_hex(file["credential"], 64)
                and is_text(file["id"]) and file["id"]):
            return "leaf_malformed"
        if decision is None:
            return "response_without_request"
        if decision["response"] is not None:
            return "response_repeated"
        passed = self.may_pass(decision)
        decision["response"] = {"verdict": data["verdict"], "digest": part.get("response", "")}
        return None if passed else "response_without_release"

    @staticmethod
    def hold(decision, seq, data):
        if decision is None:
            return "hold_without_request"
        held = decision["digest"] if data["phase"] == "request" else (decision["response"] or {}).get("digest", "")
        decision["holds"][seq] = {
            "data": data, "by": set(), "state": "pending", "releasable": data["digest"], "attempts": 0,
        }
        return None if held == data["digest"] else "hold_digest_mismatch"

    @staticmethod
    def ruling(decision, data, part):
        hold = decision and decision["holds"].get(data.get("hold"))
        if not hold:
            return "ruling_without_hold"
        terms, verdict = hold["data"], data["verdict"]
        if hold["state"] != "pending":
            return "ruling_after_final"
        if data["digest"] != terms["digest"]:
            return "ruling_digest_mismatch"
        if not (data["by"] == "holdpoint" if verdict == "expired" else data["role"] in terms["roles"]):
            return "ruling_role_not_allowed"
        if verdict in ("deny", "expired"):
            hold["state"] = "denied" if verdict == "deny" else "expired"
            return None
        if terms["notRequester"] and data["by"] == terms["requester"]:
            return "ruling_requester"
        if "amendment" in part:
            hold["by"].clear()
            hold["releasable"] = part["amendment"]
        hold["by"].add(data["by"])
        if data["final"]:
            hold["state"] = "released"
            if len(hold["by"]) < terms["approvals"]:
                return "quorum_not_met"
        return None

    @staticmethod
    def delivery(decision, data, kind):
        hold = decision and decision["holds"].get(data.get("hold"))
        if not hold or hold["state"] != "released" or (kind == "access" and hold["attempts"] == 0):
            return "delivery_without_ruling"
        if data["digest"] != hold["releasable"]:
            return "delivery_digest_mismatch"
        if kind == "delivery":
            if data["attempt"] != hold["attempts"] + 1:
                return "delivery_repeated"
            hold["attempts"] += 1
        return None

    def close(self, seq, outcome):
        decision = self.open.pop(seq, None)
        if decision is None:
            return "outcome_repeated" if seq in self.closed else "outcome_without_request"
        self.closed.add(seq)
        self.ended[seq] = decision
        return None if outcome in OUTCOMES and self.fits(decision, outcome) else "outcome_contradicts"

    def fits(self, decision, outcome):
        holds = list(decision["holds"].values())
        states = {hold["state"] for hold in holds}
        response = decision["response"]
        verdicts = {decision["verdict"], response["verdict"] if response else "pass"}
        handed_over = any(hold["attempts"] > 0 for hold in holds)
        if outcome == "delivered":
            answers = [hold for hold in holds if hold["data"]["phase"] == "response"]
            return (
                (response is not None or not decision["recorded"]) and "deny" not in verdicts and states <= {"released"}
                and all(hold["attempts"] > 0 for hold in answers)
            )
        if outcome == "denied":
            refused_at_once = decision["verdict"] == "hold" and not holds
            return ("deny" in verdicts or "denied" in states or refused_at_once) and not handed_over
        if outcome == "expired":
            return "expired" in states and not handed_over
        if outcome == "released_undelivered":
            return "released" in states
        if outcome in ("upstream_error", "upstream_truncated"):
            return self.may_pass(decision)
        if outcome == "carried":
            return decision["batch"] != -1 and not holds
        return True


# The whole.


class Verifier:
    def __init__(self, trusted, kept=None):
        self.trusted, self.kept = trusted, kept
        self.tree, self.decisions = Tree(), Decisions()
        self.key, self.prev, self.ledger, self.boot, self.mono = None, NO_PREV, None, None, 0
        self.note, self.note_seq, self.bodies, self.snapshots, self.roots = None, 0, [], [], {}
        self.broken, self.suspect = None, None

    def run(self, records):
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
        if self.suspect:
            raise self.suspect
        check_signature(self.note, [self.key], self.note_seq)
        if self.broken:
            raise self.broken
        self.check_kept()

    def block(self, seq, value):
        if seq != self.tree.size:
            raise Bad("gap" if seq > self.tree.size else "duplicate", self.tree.size)
        raw_leaves, raw_note = read_block(value, seq)
        leaves = [read_leaf(raw, seq + at) for at, raw in enumerate(raw_leaves)]
        hashes = [sha256(b"\x00", raw) for raw in raw_leaves]
        for at, leaf in enumerate(leaves):
            if leaf["seq"] != seq + at:
                raise Bad("seq_mismatch", seq + at)
        # Where the entry after it names another hash than it has, an entry is not what was sealed.
        if self.suspect:
            raise Bad("entry_altered", seq - 1) if leaves[0]["prev"] != self.prev else self.suspect
        note = parse_note(raw_note, seq)
        grown = Tree()
        grown.size, grown.frontier = self.tree.size, list(self.tree.frontier)
        for leaf_hash in hashes:
            grown.append(leaf_hash)
        for at in range(len(leaves) - 1):
            same_ledger = leaves[at + 1]["ledger"] == leaves[at]["ledger"]
            if grown.root() != note["root"] and leaves[at + 1]["prev"] != hashes[at].hex() and same_ledger:
                raise Bad("entry_altered", seq + at)
        for leaf, leaf_hash in zip(leaves, hashes):
            self.leaf(leaf)
            self.snapshot_state(leaf)
            if leaf["prev"] != self.prev:
                raise Bad("chain_broken", leaf["seq"])
            self.rules(leaf)
            self.tree.append(leaf_hash)
            self.roots[self.tree.size] = self.tree.root()
            self.prev = leaf_hash.hex()
        self.bodies = [(leaf["seq"], index, part) for leaf in leaves for index, part in enumerate(leaf["parts"])]
        self.note, self.note_seq = note, seq
        if note["origin"] != f"holdpoint/{self.ledger}":
            raise Bad("ledger_mismatch", seq)
        if note["size"] != self.tree.size:
            raise Bad("checkpoint_size_mismatch", seq)
        if note["root"] != self.tree.root():
            self.suspect = Bad("root_mismatch", seq)

    def leaf(self, leaf):
        seq = leaf["seq"]
        if self.ledger is None:
            self.ledger = leaf["ledger"]
        if leaf["ledger"] != self.ledger:
            raise Bad("ledger_mismatch", seq)
        if seq == 0:
            self.key = parse_key(leaf["data"]["key"])
            if self.key["origin"] != f"holdpoint/{self.ledger}" or leaf["data"]["origin"] != self.key["origin"]:
                raise Bad("ledger_mismatch", 0)
            if self.trusted and self.key["text"] not in [key["text"] for key in self.trusted]:
                raise Bad("key_unknown", 0)
        if leaf["kid"] != self.key["hash"]:
            raise Bad("key_unknown", seq)
        if leaf["boot"] == self.boot and leaf["mono"] < self.mono:
            raise Bad("mono_decreased", seq)
        self.boot, self.mono = leaf["boot"], leaf["mono"]

    def rules(self, leaf):
        """State rules are reported last: what was altered is the cause of what then contradicts."""
        try:
            code = self.anchor(leaf) if leaf["type"] == "anchor" else self.decisions.apply(leaf)
        except (KeyError, TypeError, AttributeError):
            raise Bad("leaf_malformed", leaf["seq"])
        if code and not self.broken:
            self.broken = Bad(code, leaf["seq"])

    def anchor(self, leaf):
        """What an anchor took note of must be a state that the ledger had."""
        data = leaf["data"]
        texts = [is_text(data[name]) for name in ("anchor", "kind", "receipt")]
        if not all(texts) or not is_count(data["size"]) or not 1 <= data["size"] <= leaf["seq"] or not is_hex(data["root"], 64):
            raise Bad("leaf_malformed", leaf["seq"])
        root = self.roots.get(data["size"])
        return "anchor_mismatch" if root is not None and root.hex() != data["root"] else None

    def check_bodies(self, seq, value):
        items = read_bodies(value, seq)
        expected = {(at, index): part for at, index, part in self.bodies}
        if [(at, index) for at, index, _ in items] != sorted((at, index) for at, index, _ in items):
            raise Bad("body_missing", seq)
        for at, index, ciphertext in items:
            part = expected.pop((at, index), None)
            if part is None:
                raise Bad("body_unexpected", at)
            e = sha256(b"holdpoint/ct/1\x00", ciphertext).hex()
            if e != part["e"] or len(ciphertext) != part["size"] + 16:
                raise Bad("body_altered", at)
        self.bodies = [(at, index, part) for (at, index), part in expected.items()]

    def snapshot_state(self, leaf):
        if leaf["type"] != "heartbeat":
            return
        opened = [[seq, decision["entries"]] for seq, decision in self.decisions.open.items()]
        state = {"frontier": [n.hex() for n in self.tree.frontier], "open": opened, "prev": self.prev,
                 "size": leaf["seq"], "v": 1}
        if leaf["data"]["open"] != len(opened):
            raise Bad("snapshot_mismatch", leaf["seq"])
        self.snapshots.append((leaf["seq"], leaf["data"]["snapshot"], json.loads(json.dumps(state))))

    def snapshot(self, seq, value):
        awaited = next((entry for entry in self.snapshots if entry[0] == seq), None)
        try:
            same = awaited is not None and sha256(value).hex() == awaited[1] and json.loads(value) == awaited[2]
        except ValueError:
            same = False
        if not same:
            raise Bad("snapshot_mismatch", seq)
        self.snapshots.remove(awaited)

    def close_block(self):
        if self.bodies:
            raise Bad("body_missing", self.bodies[0][0])
        if self.snapshots:
            raise Bad("snapshot_mismatch", self.snapshots[0][0])

    def check_kept(self):
        if self.kept is None:
            return
        if self.kept["origin"] != f"holdpoint/{self.ledger}":
            raise Bad("checkpoint_not_in_ledger")
        check_signature(self.kept, [self.key], -1)
        if self.kept["size"] > self.tree.size:
            raise Bad("truncated_by_checkpoint", self.tree.size)
        if self.kept["size"] > 0 and self.roots[self.kept["size"]] != self.kept["root"]:
            raise Bad("checkpoint_not_in_ledger", self.kept["size"] - 1)


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
    tree, prev, level_hashes = Tree(), NO_PREV, []
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
                key = parse_key(leaf["data"]["key"])
            hashes.append(sha256(b"\x00", raw))
            prev = hashes[-1].hex()
            tree.append(hashes[-1])
            at = end
        if at != len(bundle) or len(hashes) != width:
            raise Bad("block_malformed", 256 * index)
        level_hashes += hashes
    if tree.root() != note["root"]:
        raise Bad("root_mismatch", note["size"] - 1)
    check_signature(note, trusted or [key], note["size"] - 1)
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
