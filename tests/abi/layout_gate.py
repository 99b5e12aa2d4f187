"""What a difference between two layouts means, and what to do about it."""

import re

TO_DO_CHANGED = """\
A plugin that is built for ABI {frozen} would misread what today's host gives it, or crash in it. Either
- take the change back, and put what is new into an interface of its own, which a host asks for by its id
  ("vouch.storage.NAME/1", or "…/2" beside an older one; sdk/include/vouch/plugin_base.h), and raise
  kAbiMinor in sdk/include/vouch/abi.h; or
- raise kAbiMajor there. Every plugin must then be built anew, and hosts refuse the old ones in words.
Then freeze the new boundary: tests/abi/freeze BUILD_DIR."""

TO_DO_NEW = """\
The boundary has something that ABI {frozen} did not have, under the same number. Raise kAbiMinor in
sdk/include/vouch/abi.h, so that a host of ABI {frozen} refuses in words a plugin that may need it, and
freeze the new boundary: tests/abi/freeze BUILD_DIR. (A type that crosses the boundary only with an
optional interface is new; so is an enumerator behind the others.)"""


def subject(line: str) -> str:
    """The fact that a line states, without what is stated: "struct Write: events"."""
    if line.startswith(("id ", "constant ")):
        return line.split(": ")[0]
    return re.split(r" (?:at|in slot|=) |: \d+ (?:bytes|slots)", line)[0]


def of_boundary(text: str) -> list[str]:
    """The lines that are compared. The build tag has the compiler's switches in it."""
    return [line for line in text.splitlines() if line and not line.startswith(("abi ", "build tag "))]


def version(text: str) -> tuple[int, int]:
    major, minor = re.match(r"abi (\d+)\.(\d+)$", text.splitlines()[0]).groups()
    return int(major), int(minor)


def complaints(frozen: str, today: str) -> str:
    """Empty if plugins of the frozen ABI run under today's; else what changed and what to do."""
    old_version, new_version = version(frozen), version(today)
    if new_version[0] != old_version[0]:
        return ""
    before, after = of_boundary(frozen), of_boundary(today)
    now = {subject(line): line for line in after}
    words = []
    for line in before:
        if line in after:
            continue
        words.append(f"  was: {line}\n  now: {now.get(subject(line), 'gone')}")
    name = ".".join(map(str, old_version))
    if words:
        return ("What crosses the plugin boundary changed:\n" + "\n".join(words) + "\n" +
                TO_DO_CHANGED.format(frozen=name))
    new = [f"  new: {line}" for line in after if line not in before]
    if new and new_version == old_version:
        return "\n".join(new) + "\n" + TO_DO_NEW.format(frozen=name)
    return ""
