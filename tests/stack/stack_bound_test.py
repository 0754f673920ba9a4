#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether stack_bound sees what it must: small programs, each with one thing that it has to refuse or to count.

usage: stack_bound_test.py WORK_DIR [unittest argument...]
"""
import importlib.machinery
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
TOOL = os.path.join(HERE, "stack_bound")
COMPILER = "arm-none-eabi-g++"
FLAGS = ["-mcpu=cortex-m4", "-mthumb", "-Os", "-fno-exceptions", "-fno-rtti", "-ffunction-sections", "-fcallgraph-info=su,da"]
WORK = ""

LEAF = """
extern "C" void touch(void*);
extern "C" __attribute__((noinline)) void touch(void* p) { __asm__ volatile("" : : "r"(p) : "memory"); }
"""
DEEP = LEAF + """
static __attribute__((noinline)) void deep() { char room[400]; touch(room); }
static __attribute__((noinline)) void shallow() { char room[40]; touch(room); }
"""


class StackBound(unittest.TestCase):
    def run_tool(self, sources, bounds="", limits="entry 100000 entry\n", more=()):
        """Compiles and measures. \\return (exit code, output, the document it wrote or None)"""
        folder = os.path.join(WORK, self.id().split(".")[-1])
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        for name, text in sources.items():
            self.write(folder, name, text)
            subprocess.run([COMPILER, *FLAGS, "-c", name, "-o", name + ".obj"], cwd=folder, check=True)
            ci = os.path.join(folder, name[:-4] + ".ci")
            if os.path.exists(ci):
                os.rename(ci, os.path.join(folder, name + ".ci"))
        self.write(folder, "bounds", bounds)
        self.limits = self.write(folder, "limits", limits)
        out = os.path.join(folder, "out.json")
        command = [sys.executable, TOOL, "--build", "b=" + folder, "--bounds", os.path.join(folder, "bounds"), "--limits", self.limits]
        done = subprocess.run([*command, "--root", folder, "--json", out, *more], cwd=folder, capture_output=True, text=True, check=False)
        document = None
        if os.path.exists(out):
            with open(out, encoding="utf-8") as text:
                document = json.load(text)
        return done.returncode, done.stdout + done.stderr, document

    @staticmethod
    def write(folder, name, text):
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def test_the_deeper_of_two_calls_counts(self):
        code, out, document = self.run_tool({"a.cpp": DEEP + 'extern "C" int entry(int n) { n ? deep() : shallow(); return n; }'})
        self.assertEqual(code, 0, out)
        found = document["entry"]["b"]
        self.assertGreaterEqual(found["bytes"], 400)
        self.assertLess(found["bytes"], 480)
        self.assertEqual([name for name, _ in found["path"]][-2:], ["deep", "touch"])

    def test_calls_over_files_and_functions_of_one_name_in_two_files(self):
        far = LEAF + """
static __attribute__((noinline)) void deep() { char room[400]; touch(room); }
extern "C" int far(int n) { deep(); return n; }
"""
        near = """
extern "C" void touch(void*);
extern "C" int far(int);
static __attribute__((noinline)) void deep() { char room[8]; touch(room); }
extern "C" int entry(int n) { deep(); return far(n) + 1; }
extern "C" int small(int n) { deep(); return n + 1; }
"""
        code, out, document = self.run_tool({"far.cpp": far, "near.cpp": near}, limits="entry 9999 entry\nsmall 9999 small\n")
        self.assertEqual(code, 0, out)
        self.assertGreaterEqual(document["entry"]["b"]["bytes"], 400)
        self.assertLess(document["small"]["b"]["bytes"], 60)

    RECURSIVE = LEAF + """
extern "C" __attribute__((noinline)) int twist(int n);
extern "C" __attribute__((noinline)) int turn(int n) { char room[100]; touch(room); return n > 0 ? twist(n - 1) + room[0] : 0; }
extern "C" __attribute__((noinline)) int twist(int n) { char room[100]; touch(room); return n > 0 ? turn(n - 1) + room[0] : 1; }
extern "C" int entry(int n) { return turn(n) + 1; }
"""

    def test_an_unbounded_recursion_is_refused_by_name(self):
        code, out, _ = self.run_tool({"a.cpp": self.RECURSIVE})
        self.assertEqual(code, 1)
        self.assertRegex(out, "recursion not in the list: .*turn -> twist|recursion not in the list: .*twist -> turn")

    def test_a_listed_depth_multiplies(self):
        sizes = []
        for depth in (1, 2, 5):
            code, out, document = self.run_tool({"a.cpp": self.RECURSIVE}, f"recursion turn {depth} n is small\n")
            self.assertEqual(code, 0, out)
            sizes.append(document["entry"]["b"]["bytes"])
        round_trip = sizes[1] - sizes[0]
        self.assertGreaterEqual(round_trip, 200)
        self.assertEqual(sizes[2] - sizes[0], 4 * round_trip)

    def test_an_unlisted_function_pointer_is_refused_by_place_and_name(self):
        source = 'int (*hook)(int);\nextern "C" int entry(int n) { return hook(n) + 1; }'
        code, out, _ = self.run_tool({"a.cpp": source})
        self.assertEqual(code, 1)
        self.assertIn("indirect call not in the list: call a.cpp hook -> ?   (in entry)", out)

    VIRTUAL = DEEP + """
struct Port { virtual int do_it(int) = 0; };
struct Mine : Port { int do_it(int n) override; };
int Mine::do_it(int n) { deep(); return n; }
extern "C" void all() { shallow(); }
extern "C" int entry(Port& port) { char room[64]; touch(room); return port.do_it(2) + room[0]; }
"""

    def test_a_listed_virtual_call_counts_and_a_port_shows_what_is_in_use(self):
        code, out, document = self.run_tool({"a.cpp": self.VIRTUAL}, "call a.cpp do_* -> Mine::{name} | port Device\n")
        self.assertEqual(code, 0, out)
        found = document["entry"]["b"]
        self.assertGreaterEqual(found["bytes"], 464)
        self.assertGreaterEqual(found["ports"]["Device"], 64)
        self.assertLess(found["ports"]["Device"], 100)

    def test_a_listed_callee_that_is_gone_is_refused(self):
        code, out, _ = self.run_tool({"a.cpp": self.VIRTUAL}, "call a.cpp do_it -> Mine::do_that\n")
        self.assertEqual(code, 1)
        self.assertIn("no function Mine::do_that", out)

    def test_entries_that_are_no_longer_true_are_refused(self):
        bounds = "call b.cpp gone -> port X\nrecursion deep 3 once it was\nframe memcpy 8 once it was\nnever deep -> shallow once it was\n"
        code, out, _ = self.run_tool({"a.cpp": DEEP + 'extern "C" int entry(int n) { n ? deep() : shallow(); return n; }'}, bounds)
        self.assertEqual(code, 1)
        for entry in ("call b.cpp gone", "recursion deep", "frame memcpy", "never deep -> shallow"):
            self.assertIn(entry + ": ", out)

    def test_a_call_that_never_happens_does_not_count(self):
        source = {"a.cpp": DEEP + 'extern "C" int entry(int n) { n ? deep() : shallow(); return n; }'}
        code, out, document = self.run_tool(source, "never entry -> deep n is 0 on this device\n")
        self.assertEqual(code, 0, out)
        self.assertLess(document["entry"]["b"]["bytes"], 100)

    def test_alloca_and_arrays_of_variable_length_are_refused(self):
        for body in ("char* p = static_cast<char*>(__builtin_alloca(n)); touch(p);", "char p[n]; touch(p);"):
            code, out, _ = self.run_tool({"a.cpp": LEAF + f'extern "C" int entry(int n) {{ {body} return p[0]; }}'})
            self.assertEqual(code, 1)
            self.assertIn("frame of unknown size (alloca, or an array of variable length): entry", out)

    def test_a_function_without_a_graph_is_refused_until_it_is_listed(self):
        source = {"a.cpp": 'extern "C" int far(int);\nextern "C" int entry(int n) { return far(n) + 1; }'}
        code, out, _ = self.run_tool(source)
        self.assertEqual(code, 1)
        self.assertIn("no call graph of far", out)
        code, out, document = self.run_tool(source, "frame far 64 assembly\n")
        self.assertEqual((code, document["entry"]["b"]["bytes"]), (0, 72), out)

    def test_growth_of_more_than_one_percent_fails_until_it_is_stored(self):
        source = {"a.cpp": DEEP + 'extern "C" int entry(int n) { n ? deep() : shallow(); return n; }'}
        _, _, document = self.run_tool(source)
        size = document["entry"]["b"]["bytes"]
        self.assertEqual(self.run_tool(source, limits=f"entry {size - size // 110} entry\n")[0], 0)
        code, out, _ = self.run_tool(source, limits=f"entry {size - size // 50} entry\n")
        self.assertEqual(code, 1)
        self.assertIn("more than 1 % above it", out)
        self.assertEqual(self.run_tool(source, limits="entry 1 entry  # a comment\n", more=["--update"])[0], 0)
        with open(self.limits, encoding="utf-8") as text:
            self.assertEqual(text.read().split()[:3], ["entry", str(size), "entry"])

    def test_an_entry_point_that_is_gone_is_refused(self):
        code, out, _ = self.run_tool({"a.cpp": LEAF}, limits="gone 8 Client::gone\n")
        self.assertEqual(code, 1)
        self.assertIn("entry gone: no function Client::gone", out)


def module(name):
    loader = importlib.machinery.SourceFileLoader(name, os.path.join(HERE, name))
    spec = importlib.util.spec_from_loader(name, loader)
    loaded = importlib.util.module_from_spec(spec)
    loader.exec_module(loaded)
    return loaded


class Text(unittest.TestCase):
    def test_names_without_arguments(self):
        plain = module("stack_bound").plain_name
        self.assertEqual(plain("wayseal::(anonymous namespace)::f(int (*)(char)) const [clone .part.0]"), "wayseal::(anonymous namespace)::f")
        self.assertEqual(plain("bool a::note_one<12u>(pb_istream_s*, void**)"), "bool a::note_one<12u>")

    def test_names_that_are_called_through(self):
        called = module("stack_bound").called_name
        for line, column, name in (
            ("  return do_seal(key, 1);", 17, "do_seal"),
            ("    if ((ret = f_vrfy(p_vrfy, cur->crt)) != 0) {", 16, "f_vrfy"),
            ("  MBEDTLS_MPI_CHK(f_rng(p_rng, X));", 3, "f_rng"),
            ("  ctx->cipher_ctx = get_base(cipher_info)->ctx_alloc_func();", 21, "ctx_alloc_func"),
            ("  return (*mbedtls_calloc_func)(n, size);", 11, "mbedtls_calloc_func"),
        ):
            self.assertEqual(called(line, column), name)

    def test_stack_that_instructions_take(self):
        taken = module("library_frames").taken
        self.assertEqual(taken("push {r4, r5, r6, lr}"), 16)
        self.assertEqual(taken("stmdb sp!, {r4, r5, r6, r7, r8, lr}"), 24)
        self.assertEqual(taken("vpush {d8-d9}"), 16)
        self.assertEqual(taken("str.w lr, [sp, #-4]!"), 4)
        self.assertEqual(taken("sub.w sp, sp, #264"), 264)
        self.assertEqual(taken("pop {r4, pc}"), 0)
        self.assertIsNone(taken("mov sp, r7"))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if shutil.which(COMPILER) is None:
        print(f"skipped: {COMPILER} is not installed (toolchains/setup --test)")
        sys.exit(77)
    WORK = os.path.abspath(sys.argv[1])
    os.makedirs(WORK, exist_ok=True)
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
