# SPDX-License-Identifier: Apache-2.0
"""Every row of the table: what is measured, against what, and how much is allowed."""

import os
import subprocess
from dataclasses import dataclass
from typing import Callable, Optional

from measuring import Failed, Skipped, exponent

# Measured in November 2026 on the same logs, not here and not now; README.md says how.
PEERS = {
    "rav4": {"cantools": 99, "fleetwise": 3254, "fleetwise_sample": 1280, "fleetwise_bytes": 16.4},
    "css": {"cantools": 151, "fleetwise": 3856, "fleetwise_sample": 1190, "fleetwise_bytes": 16.2},
}
NOT_MEASURED_HERE = "Nov 2026, not run here"
DRIVES = {
    "rav4": ("comma2k19_rav4_a.log.xz", "can0", "toyota_new_mc_pt_generated.dbc"),
    "css": ("css_drive_gps_uds_165-02.log.xz", "can1", "canmod-gps.dbc"),
}
VCAN = ("--limit", "200")
VCAN_AGENT = ("--limit", "200", "--memory", "1024M")


@dataclass
class Row:
    name: str
    unit: str
    measure: Callable  # of Programs; (ours, floor or None)
    against: str = ""  # what the floor or peer is
    limit: Optional[float] = None
    of: str = "ratio"  # what the limit is for: "ratio" or "ours"
    exact: bool = True  # counted, not timed
    note: str = ""


class Data:
    """The logs: third-party ones, else the project's own made-up drive."""

    def __init__(self, programs):
        self.programs = programs
        self.folder = os.environ.get("WAYSEAL_DATA", "")
        self.made = None

    def arguments(self, name):
        log, interface, dbc = DRIVES[name]
        log, dbc = os.path.join(self.folder, "can_logs", log), os.path.join(self.folder, "dbc", dbc)
        if self.folder and os.path.exists(log) and os.path.exists(dbc):
            return log, interface, dbc
        if name != "rav4":
            raise Skipped("no third-party data (WAYSEAL_DATA)")
        return self._made_drive()

    def peer(self, drive, name):
        """A peer's figure, which is of the real log only."""
        return None if self.arguments(drive) == self.made else PEERS[drive][name]

    def _made_drive(self):
        if self.made is None:
            tool = os.path.join(self.programs.bin, "wayseal-oem")
            if not os.access(tool, os.X_OK):
                raise Skipped("no third-party data (WAYSEAL_DATA), and wayseal-oem is not built")
            folder = self.programs.folder.name
            log, dbc = os.path.join(folder, "drive.log"), os.path.join(folder, "drive.dbc")
            subprocess.run([tool, "drive", "--seconds", "60", "-o", log, "--dbc", dbc], check=True,
                           stdout=subprocess.DEVNULL)
            self.made = (log, "can0", dbc)
        return self.made

    def note(self):
        return "without third-party data 'rav4' was the made-up drive of wayseal-oem" if self.made else ""


def decode_rows(data):
    for drive in DRIVES:
        def figures(p, drive=drive):
            return p.run("decode_frame", *data.arguments(drive), callgrind=True)

        def against(region, figures=figures):
            def measure(p):
                f = figures(p)
                return tuple(f.instructions(r) / f.value("frames") for r in ("ours", region))
            return measure

        def peer(name, figures=figures, drive=drive):
            def measure(p):
                f = figures(p)
                if data.peer(drive, name) is None:
                    raise Skipped("the peer was measured on the third-party log only")
                return f.instructions("ours") / f.value("frames"), data.peer(drive, name)
            return measure

        unit = "instr/frame"
        yield Row(f"decode/{drive}", unit, against("floor"), "straight table-driven loop, physical values", 1.3)
        yield Row(f"decode/{drive}/raw", unit, against("floor_raw"), "the same loop without multiply-add")
        yield Row(f"decode/{drive}/cantools", unit, peer("cantools"), "cantools' C, " + NOT_MEASURED_HERE)
        yield Row(f"decode/{drive}/fleetwise", unit, peer("fleetwise"), "FleetWise Edge, " + NOT_MEASURED_HERE)


def collect_rows(data):
    for drive in DRIVES:
        def sample_cost(p, rule, drive=drive):
            f = p.run("collect_samples", *data.arguments(drive), callgrind=True)
            return f.instructions(rule) / f.value("every.samples")

        def with_rule(rule, sample_cost=sample_cost):
            return lambda p: (sample_cost(p, rule), sample_cost(p, "every"))

        unit = "instr/sample"
        yield Row(f"collect/{drive}", unit,
                  lambda p, cost=sample_cost, drive=drive: (cost(p, "every"), data.peer(drive, "fleetwise_sample")),
                  "FleetWise Edge with Snappy, " + NOT_MEASURED_HERE, 100, of="ours",
                  note="decode, collect and batch")
        yield Row(f"collect/{drive}/on_change", unit, with_rule("on_change"), "every sample kept",
                  note="a decoded sample, kept or not")
        yield Row(f"collect/{drive}/interval", unit, with_rule("interval"), "every sample kept",
                  note="a decoded sample, kept or not")


def receive_rows(_data):
    def figures(p):
        return p.run("receive_frames", callgrind=True, vcan=VCAN)

    def instructions(p):
        f = figures(p)
        return tuple(sum(count for region, count in f.regions.items() if region.startswith(way)) /
                     f.value("frames") for way in ("ours", "floor"))

    def calls(p):
        f = figures(p)
        return f.value("calls") / f.value("frames"), 1 / 64

    yield Row("receive/instructions", "instr/frame", instructions, "recvmmsg and a copy; no times, no drops")
    yield Row("receive/calls", "syscalls/frame", calls, "64 frames a call", 2)


def seal_rows(_data):
    for token in ("softhsm", "nss"):
        for size in (256, 1024, 16320):
            def count(p, token=token, size=size):
                f = p.run("seal_record", token, callgrind=True)
                return tuple(f.instructions(f"{way}.{size}") / f.value("seals") for way in ("ours", "floor"))

            def time(p, token=token, size=size):
                f = p.run("seal_record", token)
                return f.value(f"ours_us.{size}"), f.value(f"floor_us.{size}")

            def path(p, token=token, size=size, count=count):
                f = p.run("seal_path", token, callgrind=True)
                total = sum(cost for region, cost in f.regions.items() if region.startswith(f"path.{size}."))
                return total / f.value("records"), count(p)[1]

            against = "C_EncryptInit and C_Encrypt"
            yield Row(f"seal/{token}/{size}", "instr/record", count, against, 1.1)
            yield Row(f"seal/{token}/{size}/time", "us/record", time, against, 1.1, exact=False)
            yield Row(f"seal/{token}/{size}/path", "instr/record", path, against, note="from the queue to the spool")

        def calls(p, token=token):
            return p.run("open_session", token).value("getpids_a_seal"), None

        yield Row(f"seal/{token}/calls", "syscalls/record", calls, note="ours; how a fork is noticed")


def bytes_rows(data):
    for drive in DRIVES:
        def size(what, drive=drive):
            def measure(p):
                f = p.run("sealed_bytes", *data.arguments(drive))
                return f.value(what) / f.value("samples"), data.peer(drive, "fleetwise_bytes")
            return measure

        against = "protobuf a sample, FleetWise's schema, " + NOT_MEASURED_HERE
        yield Row(f"bytes/{drive}/content", "bytes/sample", size("padded"), against, 1.3, of="ours",
                  note="what is sealed, padding included")
        yield Row(f"bytes/{drive}/sealed", "bytes/sample", size("sealed"), against, 1.4, of="ours",
                  note="what is stored and sent")


def session_rows(_data):
    for token in ("softhsm", "nss"):
        def value(name, token=token):
            return lambda p: (p.run("open_session", token).value(name), None)

        def time(p, token=token):
            f = p.run("open_session", token)
            return f.value("time_us"), f.value("time_us") / f.value("time_ratio")

        yield Row(f"session/{token}/calls", "token calls", value("calls"))
        yield Row(f"session/{token}/signatures", "signatures", value("signatures"), "", 1, of="ours")
        yield Row(f"session/{token}/bytes", "bytes", value("bytes"), note="SessionOpen with two certificates")
        yield Row(f"session/{token}/time", "us", time, "time inside the token", exact=False,
                  note="the rest verifies the prekey bundle in software")


def tls_rows(_data):
    def ours(*names):
        return lambda p: (sum(p.run("tls_handshake").value(name) for name in names), None)

    def with_peer(names, peer):
        def measure(p):
            return ours(*names)(p)[0], p.run("tls_resumption").value(peer)
        return measure

    def refused(p):
        f = p.run("tls_resumption")
        raise Skipped("not allowed by policy: it would skip the gateway's revocation check. OpenSSL with tickets: "
                      f"{f.value('resumed.signatures'):.0f} signatures, {f.value('resumed.round_trips'):.0f} round "
                      f"trip, {f.value('resumed.bytes'):.0f} bytes instead of {f.value('full.bytes'):.0f}")

    openssl = "OpenSSL on both sides"
    yield Row("tls/full/signatures", "signatures", with_peer(["signatures"], "full.signatures"), openssl, 1, of="ours")
    yield Row("tls/full/round_trips", "round trips", with_peer(["round_trips"], "full.round_trips"), openssl, 1,
              of="ours", note="TCP's own not counted")
    yield Row("tls/full/bytes", "bytes", with_peer(["bytes_sent", "bytes_received"], "full.bytes"), openssl)
    yield Row("tls/full/records", "TLS records", ours("records_sent", "records_received"))
    yield Row("tls/resumed", "", refused)


def spool_rows(_data):
    for size in (256, 1024, 16320):
        def cost(work, floor, size=size):
            def measure(p):
                f = p.run("spool_records", str(size), callgrind=True)
                return tuple(f.instructions(f"{log}.{work}") / f.value("records") for log in ("ours", floor))
            return measure

        def written(what, size=size):
            def measure(p):
                f = p.run("spool_records", str(size), callgrind=True)
                return f.value("written." + what) / f.value("written.sealed"), 1
            return measure

        def on_file(what, by, floor, size=size):
            def measure(p):
                f = p.run("spool_file", str(size))
                return f.value(what) / f.value(by), floor(f)
            return measure

        unit = "instr/record"
        yield Row(f"spool/{size}/append", unit, cost("append", "checked"), "length, CRC-32C, bytes; one after another")
        yield Row(f"spool/{size}/recover", unit, cost("recover", "plain"), "hopping over lengths, nothing checked")
        yield Row(f"spool/{size}/drain", unit, cost("drain", "checked"), "reading back and checking the CRC-32C")
        yield Row(f"spool/{size}/programmed", "bytes/sealed byte", written("programmed"), "the sealed bytes alone")
        yield Row(f"spool/{size}/erased", "bytes/sealed byte", written("erased"), "the sealed bytes alone")
        yield Row(f"spool/{size}/file/calls", "syscalls/record",
                  on_file("calls", "records", lambda f: 1 + f.value("syncs") / f.value("records")),
                  "a write a record, and the same syncs")
        yield Row(f"spool/{size}/file/written", "bytes/sealed byte", on_file("written", "sealed", lambda f: 1),
                  "the sealed bytes alone", note="a file is erased by writing 0xFF")


def agent_rows(_data):
    def figures(p, source):
        f = p.run("agent_load", source, vcan=VCAN_AGENT if source == "vcan" else None)
        if f.value("dropped") != 0:
            raise Failed("the agent dropped frames or samples")
        return f

    for source, note in (("vcan", "SocketCAN; in a user-mode kernel system calls cost far more than on a host"),
                         ("log", "the recording read by the agent, no CAN socket")):
        def peak(p, source=source):
            return figures(p, source).value("peak_kib") / 1024, None

        def cpu(p, source=source):
            f = figures(p, source)
            return 1000 * f.value("cpu_seconds") / f.value("frames"), None

        yield Row(f"agent/{source}/rss", "MiB", peak, exact=False, note="VmHWM at 8,000 frames/s")
        yield Row(f"agent/{source}/cpu", "s/1000 frames", cpu, exact=False, note=note)


def growth_rows(_data):
    def total(program, name):
        return lambda p: (exponent(p.run(program, callgrind=True).series(name)), None)

    def each(program, name):
        """Of a series that gives the cost of a fixed number of operations: n times as many for n."""
        return lambda p: (exponent([(n, n * cost) for n, cost in p.run(program, callgrind=True).series(name)]), None)

    for name, measure, note in (
            ("load", total("growth_tables", "load"), "10 to 10,000 messages"),
            ("decode", each("growth_tables", "decode"), "n frames with n messages, 10 to 10,000"),
            ("collect", total("growth_tables", "collect"), "10 to 8,000 signals, batches closed"),
            ("append", total("growth_spool", "append"), "100 to 10,000 records"),
            ("mount", total("growth_spool", "mount"), "100 to 10,000 records"),
            ("drain", total("growth_spool", "drain"), "100 to 10,000 records"),
            ("losses", total("growth_spool", "ledger"), "100 to 10,000 losses"),
            ("prekeys", each("growth_prekeys", "take"), "taking n of n prekeys, 1 to 16")):
        yield Row(f"growth/{name}", "exponent", measure, "", 1.15, of="ours", note=note)


def all_rows(data):
    for rows in (decode_rows, collect_rows, receive_rows, seal_rows, bytes_rows, session_rows, tls_rows, spool_rows,
                 agent_rows, growth_rows):
        yield from rows(data)
