# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""For each row of `exo bench kernel`: why it stands where it does, and what is left to gain.

No figures here: the report has the measured ones beside each note.
"""
STRAIGHT = ("With one processor all in `kernel/arch/x86_64/straight.S`: what calls keep, vector state, bases, segment "
            "registers and page tables change; the core learns of it at its next entry.")
CHANGE = ("`pte_modify_range` checks the whole range and counts who becomes a writer, then changes it; pages alike in "
          "owner and limits are checked once. Short ranges forget each translation, long ones all together.")
FORK = ("The program's page tables are handed on frozen, by one call; each side copies the tables on the way to what "
        "it writes. A quarter of the figure is that (`table_own`, four times), a quarter the copies of nine pages "
        "(`pte_fill`: five of ExOS' own, and two that each side writes), a sixth the end of the child. What grows "
        "with the parent is the 1 GiB table, of one entry for 2 MiB: copied once, and let go of once. Left: the "
        "child's two upcall stacks could come when they are used.")

NOTES = {
    "null": "Answered where the entry looks the number up: it counts the call and goes back. A call that C++ answers "
            "costs 48 more for entry and exit, and about 60 for the lock, the record of the caller and the dispatch.",
    "foreign": "`syscall_entry` in `kernel/arch/x86_64/entry.S` compares once and jumps to the application's own "
               "entry. Nothing is left but the two `swapgs` that reach the Uenv.",
    "getppid": "The kernel's part, and ExOS' quick calls (`exos/linux/quick_calls.S`), which keep the program's "
               "registers. A patched call site would save the kernel's part too.",
    "fault": "The entry code writes the fault into the Uenv and returns into the handler; the way back does not enter "
             "the kernel.",
    "sigsegv": "Most of it is Linux' signal frame, built and read by ExOS: the vector state is saved to the program's "
               "stack and restored from it, as programs may look there. That memory is not probed before: a fault "
               "there that nothing resolves ends the process. The return is a system call of its own, as on Linux.",
    "fresh-page": "128 vector stores clear the page and are the floor. The row touches page after page: ExOS fetches "
                  "twice as many with each fault, up to 16, by one call (`pte_fill`), and takes whole page tables down "
                  "at once. Touched in no order, with a fault for each, a page costs about 1,000.",
    "pte": "Entry, lock, dispatch and the way back are 165 of it; the walk down four levels, which notes each table "
           "for the counts, 75; the checks of entry, page and ACL 70; storing and counting, in the page, in four "
           "tables and in the space's record, 60. Left: a walk that is remembered from call to call, until a table "
           "changes, and calls that need no context saved: about 150 together.",
    "pte-batch": "One loop of 35 instructions, all in registers, for entries like the one before: pages of the same "
                 "owner without limits, where the table has none yet. The rest is copying the words in, and the first "
                 "entry of each call the long way.",
    "transfer": "Mean of a call and its answer, 88 in the kernel; the rest is the wrappers of both sides. " + STRAIGHT +
                " The message never leaves its registers. Of the 88, 14 are vector state and segment registers, 8 the "
                "bases, 12 the accounts of time and switches, 12 the records of who waits for whom: each is something "
                "that would leak, or be missed, otherwise. Saving no vector state for callers that use none would "
                "save 4.",
    "directed-yield": STRAIGHT + " Nothing is left but the vector state in use, whose saving is one instruction.",
    "switch": STRAIGHT + " On top: whose slice is next, 36 instructions in C++.",
    "pipe": "Two switches by directed yield to the one who waits, whose predicate alone is evaluated; the predicate "
            "stays from wait to wait. More than half of the figure is ExOS: descriptors, the lock of the file system, "
            "copying through the shared region with care for the program's addresses, comparing the words to wait for "
            "with those of the last time.",
    "fork-1": FORK,
    "fork-16": FORK,
    "fork-256": FORK,
    "fork-exec": "The fork's part is in the rows above; the rest is exec reading the file's headers, filling another "
                 "address space, and the new program's first faults, 44 of them for pages of its file. Mapping eight "
                 "pages of the file at each of them was tried and made it dearer: most are not used, and all are taken "
                 "down again.",
    "dirty": "A load from the page-table window, no call. Linux has to be asked through /proc/self/pagemap, "
             "one read per page; what it costs varies with where a boot puts the memory.",
    "prot1": CHANGE,
    "prot100": CHANGE + " Per page: load, compare, store, and the count of writers.",
    "unprot100": CHANGE + " Per page, 18 instructions for the check and 16 for the change. Left: one pass with a way "
                 "back would save half of the first.",
    "trap": "The fault's row, and the run-time's frame of all registers around a handler in C++. A handler in "
            "assembly that touches three registers needs a third of it.",
    "appel1": "One trap and two calls of `pte_modify_range`. " + CHANGE,
    "appel2": "One trap, one call, and a hundredth of `prot100`. " + CHANGE,
}
