"""The budgets of instructions are kept, and what keeps them can fail."""

import os
import pathlib
import tempfile
import unittest

import budgets
import callgrind
import measure
from measure import Measured

#: A host's function that calls memcpy, and the testkit, which calls memcpy and back into the host.
PROFILE = """\
version: 1
events: Ir
thread: 2

fl=(1) a.cpp
fn=(1) vouch::append::LaneWriter::write(Group)
10 100
+3 20
cob=(2) libc.so
cfi=(2) memcpy.S
cfn=(2) memcpy
calls=4 1
* 40
cfn=(3) vouch::testkit::(anonymous namespace)::MemoryLane::stage(std::span<int>)
calls=1 50
+1 1000

fn=(3)
fi=(3) inlined.h
50 200
fe=(1)
cfn=(2)
calls=1 1
51 760
cfn=(4) vouch::saga::SignalBook::add(int)
calls=1 1
52 40

fn=(2)
1 800

fn=(4)
1 40

totals: 1160
"""

WRITE = "vouch::append::LaneWriter::write"
STAGE = "vouch::testkit::MemoryLane::stage"
ADD = "vouch::saga::SignalBook::add"


def measured(instructions: float, **functions: float) -> Measured:
    return Measured(instructions, functions,
                    {"vouch::" + name: cost for name, cost in functions.items()})


def kept(**paths: Measured) -> dict[str, dict]:
    return budgets.to_keep({}, paths)["paths"]


class ProfileTestCase(unittest.TestCase):
    def test_costs_are_of_functions_themselves_and_of_their_calls(self):
        thread = callgrind.parse(PROFILE)
        self.assertEqual(thread.self_cost, {WRITE: 120, STAGE: 200, "memcpy": 800, ADD: 40})
        self.assertEqual(thread.calls[STAGE, "memcpy"], 760)
        self.assertEqual(thread.inclusive()[WRITE], 120 + 40 + 1000)

    def test_the_testkit_and_what_libraries_do_for_it_is_not_the_hosts(self):
        cost = callgrind.parse(PROFILE).host_cost()
        self.assertEqual(cost[STAGE], 0)
        self.assertEqual(cost[WRITE], 120)
        self.assertAlmostEqual(cost["memcpy"], 40)
        # What the testkit calls of the host is the host's.
        self.assertEqual(cost[ADD], 40)

    def test_with_all_its_calls_a_function_has_the_testkits_work_left_out(self):
        cost = callgrind.parse(PROFILE).host_inclusive()
        self.assertEqual(cost, {WRITE: 120 + 40 + 40, ADD: 40})

    def test_a_chain_of_libraries_is_followed_to_who_called_it(self):
        thread = callgrind.Thread(
            {"vouch::host": 0, "vouch::testkit::fake": 0, "operator new": 10, "malloc": 100},
            {("vouch::host", "operator new"): 33, ("vouch::testkit::fake", "operator new"): 77,
             ("operator new", "malloc"): 100})
        cost = thread.host_cost()
        self.assertAlmostEqual(cost["operator new"], 3)
        self.assertAlmostEqual(cost["malloc"], 30)

    def test_libraries_that_call_each_other_in_a_circle_come_to_an_end(self):
        thread = callgrind.Thread(
            {"vouch::testkit::fake": 0, "a": 50, "b": 50},
            {("vouch::testkit::fake", "a"): 100, ("a", "b"): 90, ("b", "a"): 40})
        cost = thread.host_cost()
        self.assertAlmostEqual(cost["a"], 0, places=2)
        self.assertAlmostEqual(cost["b"], 0, places=2)

    def test_each_thread_has_a_file(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "out").write_text("version: 1\n")
            for thread in ("01", "02"):
                (folder / f"out-{thread}").write_text(PROFILE)
            self.assertEqual(len(callgrind.read(folder)), 2)

    def test_a_path_whose_thread_is_not_found_is_an_error(self):
        threads = [callgrind.parse(PROFILE)]
        self.assertEqual(measure.sum_up(1, threads, ["lane"]).instructions, 120 + 40 + 40)
        with self.assertRaisesRegex(RuntimeError, "RouteDelivery"):
            measure.sum_up(1, threads, ["lane", "saga"])

    def test_names_are_shown_without_arguments_and_templates(self):
        for name, shown in {
            "vouch::http::handle(vouch::http::Request&, int)": "vouch::http::handle",
            "void std::vector<int, std::allocator<int> >::_M_realloc_insert<int>(int&&)":
                "std::vector::_M_realloc_insert",
            "std::string::_M_append[abi:cxx11](char const*)": "std::string::_M_append",
            # Which is not the host's.
            "vouch::Append* std::__do_uninit_copy<vouch::Append const*>(vouch::Append const*)":
                "std::__do_uninit_copy",
            "__memcpy_sse2_unaligned": "__memcpy_sse2_unaligned",
            "operator new(unsigned long)": "operator new",
        }.items():
            self.assertEqual(callgrind.short(name), shown)


class VerdictTestCase(unittest.TestCase):
    def test_more_than_a_tenth_above_the_budget_fails_and_says_what_grew(self):
        verdict = budgets.judge(kept(path=measured(1000, parse=600, copy=400)),
                                {"path": measured(1101, parse=601, copy=500)})
        self.assertEqual(verdict.warnings, [])
        [words] = verdict.complaints
        for part in ("path: 1,101 instructions for each event", "budget is 1,000", "+10.1%",
                     "+100  copy (400 before)", "+100  vouch::copy", "scripts/instructions --set"):
            self.assertIn(part, words)
        self.assertLess(words.index("+100  copy"), words.index("+1  parse"))

    def test_a_function_that_is_new_is_told_too(self):
        verdict = budgets.judge(kept(path=measured(1000, parse=1000)),
                                {"path": measured(1500, parse=1000, again=500)})
        self.assertIn("+500  again (at most 0 before)", verdict.complaints[0])

    def test_of_a_function_that_was_too_small_to_be_kept_no_more_is_said_than_is_known(self):
        small = {f"small{i}": 10 for i in range(measure.KEPT_FUNCTIONS)}
        verdict = budgets.judge(kept(path=measured(1000, **small)),
                                {"path": measured(1500, **small, grown=510)})
        self.assertIn("+500  grown (at most 10 before)", verdict.complaints[0])

    def test_within_a_tenth_nothing_is_said(self):
        for now in (901, 1000, 1099):
            verdict = budgets.judge(kept(path=measured(1000)), {"path": measured(now)})
            self.assertEqual((verdict.complaints, verdict.warnings), ([], []))

    def test_far_below_the_budget_is_a_warning(self):
        verdict = budgets.judge(kept(path=measured(1000)), {"path": measured(890)})
        self.assertEqual(verdict.complaints, [])
        self.assertIn("the budget should follow", verdict.warnings[0])

    def test_a_path_without_a_budget_and_a_budget_without_a_path_fail(self):
        verdict = budgets.judge(kept(old=measured(1)), {"new": measured(1)})
        self.assertEqual(len(verdict.complaints), 2)

    def test_another_compiler_flags_library_or_processor_is_told_apart(self):
        here = {"compiler": "g++ 12", "flags": "-O2", "library": "glibc 2.36",
                "processor": "x86_64"}
        self.assertEqual(budgets.of_another_toolchain(here, dict(here)), "")
        for what in here:
            self.assertIn("'other'", budgets.of_another_toolchain(here, {**here, what: "other"}))


class BudgetTestCase(unittest.TestCase):
    """The host as it is, against the budgets as they are."""

    def test_every_path_keeps_its_budget_and_would_not_keep_a_smaller_one(self):
        kept_budgets = budgets.stored()
        here = measure.toolchain(os.environ["VOUCH_CXX"], os.environ["VOUCH_CXX_FLAGS"])
        if other := budgets.of_another_toolchain(kept_budgets["toolchain"], here):
            print(f"SKIPPED: {other}")
            self.skipTest(other)
        now = measure.measure(os.environ["VOUCH_INSTRUCTIONS"], os.environ["VOUCH_VALGRIND"])

        verdict = budgets.judge(kept_budgets["paths"], now)
        # ctest does not show what a test says that passes; scripts/test does.
        pathlib.Path(os.environ["VOUCH_INSTRUCTIONS_WARNINGS"]).write_text(
            "".join(f"warning: {words}\n" for words in verdict.warnings))
        self.assertEqual(verdict.complaints, [], "\n\n" + "\n\n".join(verdict.complaints))

        smaller = {name: {**budget, "instructions": budget["instructions"] / 1.11}
                   for name, budget in kept(**now).items()}
        self.assertEqual(len(budgets.judge(smaller, now).complaints), len(measure.PATHS))


if __name__ == "__main__":
    unittest.main()
