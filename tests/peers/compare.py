"""Speak the dialogue to miniftpd and its peers, and show where they answer differently.

A step fails if miniftpd does not answer what dialogue.py wants; if it answers otherwise than all
peers or than most of them and explained.py has no reason; or if there is a reason and no such
difference. One test more is that doc/compatibility.md has every reason and shows these answers.
"""

import argparse
import re
import sys
from collections import Counter, namedtuple
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS / "system"))

import talk
from dialogue import all_steps
from explained import EXPLAINED
from features import FEATURES
from servers import all_servers

DOCUMENT = TESTS.parent / "doc" / "compatibility.md"

# `answers` are those of miniftpd and then of each peer; `reason` is None if no one explains it.
Row = namedtuple("Row", "step answers reason")


def speak(server, steps):
    """What `server` answers to each of `steps`."""
    server.start()
    answers = []
    try:
        for step in steps:
            talk.fresh_home()
            session = talk.Talk(step.user)
            answers.append(session.run(step.lines))
            session.close()
    finally:
        server.stop()
    return answers


def stands_alone(answers):
    """Whether miniftpd answers otherwise than every peer, or otherwise than most."""
    ours, *peers = answers
    if ours not in peers:
        return True
    answer, count = Counter(peers).most_common(1)[0]
    return answer != ours and 2 * count > len(peers)


def problem(row):
    """What is wrong with a row, or None."""
    if row.answers[0] != row.step.wanted:
        return f"wanted is {row.step.wanted}"
    if stands_alone(row.answers):
        return None if row.reason else "not explained"
    return "explained, but there is no difference" if row.reason else None


def reasons():
    """The reason of each explained step; a step with two reasons is an error."""
    found = {}
    for reason, names in EXPLAINED.items():
        for name in names.strip().splitlines():
            assert name.strip() not in found, f"{name.strip()} is explained twice"
            found[name.strip()] = reason
    return found


def table(titles, lines):
    """A Markdown table."""
    rows = [titles, ["---"] * len(titles), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def code(text):
    return "`" + text.replace("|", "\\|") + "`"


def document_tables(rows, servers):
    """The tables in doc/compatibility.md that show measured answers, by their heading there."""
    names = [server.name for server in servers]
    answers = {row.step.name: row.answers for row in rows}
    tables = {}
    for heading, features in FEATURES.items():
        lines = [[text, *("yes" if re.search(sign, answer) else "no" for answer in answers[name])]
                 for text, name, sign in features]
        tables[heading] = table(["", *names], lines)
    for reason in EXPLAINED:
        lines = [[code(row.step.name), *row.answers] for row in rows if row.reason == reason]
        tables[reason] = table(["Sent", *names], lines)
    return tables


def with_tables(text, tables):
    """`text` with the `tables` in place of those it has below the same headings."""
    sections = re.split(r"(?m)^(?=#+ )", text)
    for number, section in enumerate(sections):
        heading = section.partition("\n")[0].lstrip("# ")
        if heading in tables:
            kept = re.sub(r"(?m)^\|.*\n", "", section).rstrip("\n")
            sections[number] = f"{kept}\n\n{tables[heading]}\n\n"
    return "".join(sections).rstrip("\n") + "\n"


def document_problems(text, tables, servers):
    """What doc/compatibility.md lacks or has too much."""
    headings = re.findall(r"(?m)^#+ (.*)$", text)
    reasons = set(re.findall(r"(?m)^### (.*)$", text))
    found = [f"no heading {heading!r}" for heading in tables if heading not in headings]
    found += [f"heading {name!r} explains nothing" for name in sorted(reasons - tables.keys())]
    found += [f"{server.name} {server.version} is not named" for server in servers
              if f"{server.name} {server.version}".strip() not in text]
    lines = text.splitlines()
    for line in with_tables(text, tables).splitlines():
        if line not in lines:
            found.append(f"missing: {line}")
    if not found and with_tables(text, tables) != text:
        found.append("a table has lines too many, or in another order; see --document")
    return found


def print_table(rows, servers):
    """The rows, with aligned columns."""
    titles = ["", *(server.name for server in servers), ""]
    lines = [[row.step.name, *row.answers, problem(row) or row.reason or ""] for row in rows]
    widths = [max(map(len, column)) for column in zip(titles, *lines)]
    for line in [titles, *lines]:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip())


def arguments():
    parser = argparse.ArgumentParser(prog="run-peers", description=__doc__.splitlines()[0])
    parser.add_argument("-v", action="store_true", dest="verbose", help="show all steps")
    parser.add_argument("-k", metavar="TEXT", default="", help="only steps with TEXT in their name")
    parser.add_argument("--document", action="store_true",
                        help="print doc/compatibility.md with its tables brought up to date")
    return parser.parse_args()


def main():
    options = arguments()
    everything = all_steps()
    steps = [step for step in everything if options.k in step.name]
    servers = all_servers()
    why = reasons()
    columns = [speak(server, steps) for server in servers]
    rows = [Row(step, answers, why.get(step.name)) for step, *answers in zip(steps, *columns)]

    problems = [f"no such step: {name}" for name in why.keys() - {step.name for step in everything}]
    if not options.k:
        text = DOCUMENT.read_text()
        tables = document_tables(rows, servers)
        if options.document:
            print(with_tables(text, tables), end="")
            return 0
        problems += [f"doc/{DOCUMENT.name}: {found}"
                     for found in document_problems(text, tables, servers)]

    differ = [row for row in rows if len(set(row.answers)) > 1]
    print_table([row for row in rows if options.verbose or row in differ or problem(row)], servers)
    for text in problems:
        print(text)
    alone = sum(stands_alone(row.answers) for row in rows)
    print(f"{len(rows)} steps, {len(differ)} with differences; in {alone} of them miniftpd differs "
          "from all peers or from most")
    tests = len(rows) + (not options.k or bool(problems))
    failed = sum(problem(row) is not None for row in rows) + bool(problems)
    print(f"{tests - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
