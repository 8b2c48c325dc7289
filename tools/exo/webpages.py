# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""The documents as web pages: README.md and docs/ become what Cheetah serves.

Only the Markdown these documents use: headings, paragraphs, lists, tables, fenced blocks, quotes; inside
a line code, bold, emphasis, links and pictures.
"""
import html
import os
import re

from . import paths

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 sans-serif; max-width: 50em; margin: 2em auto; padding: 0 1em; color: #222; }}
pre {{ background: #f4f4f4; padding: .8em; overflow-x: auto; }}
code {{ background: #f4f4f4; }}
table {{ border-collapse: collapse; }} th, td {{ border: 1px solid #ccc; padding: .2em .6em; text-align: left; }}
nav {{ border-bottom: 1px solid #ccc; padding-bottom: .5em; }}
</style>
</head>
<body>
<nav>{navigation}</nav>
{body}
</body>
</html>
"""


def sources() -> list:
    """The documents that become pages, and the pictures in them."""
    found = [os.path.join(paths.ROOT, name) for name in ("README.md", "CONTRIBUTING.md", "LICENSE")]
    for folder, folders, names in os.walk(os.path.join(paths.ROOT, "docs")):
        folders.sort()
        found += [os.path.join(folder, name) for name in sorted(names) if name.endswith((".md", ".svg"))]
    return [path for path in found if os.path.isfile(path)]


def pages() -> dict:
    """Path below /www -> content."""
    made, titles = {}, {}
    documents = {}
    for path in sources():
        with open(path, encoding="utf-8") as file:
            text = file.read()
        name = os.path.relpath(path, paths.ROOT)
        if name.endswith(".svg"):
            made[name] = text.encode()
            continue
        target = "index.html" if name == "README.md" else name.removesuffix(".md") + ".html"
        heading = re.search(r"^# +(.*)$", text, re.M) if name.endswith(".md") else None
        titles[target] = re.sub(r"[`*]", "", heading.group(1)) if heading else name
        documents[target] = (name, text)
    if "index.html" not in documents:
        documents["index.html"] = ("README.md", "# Xok\n\nServed by Cheetah, on Xok.\n")
        titles["index.html"] = "Xok"
    for target, (name, text) in documents.items():
        up = "../" * target.count("/")
        navigation = " · ".join(f'<a href="{up}{other}">{html.escape(title)}</a>'
                                for other, title in titles.items())
        body = convert(text) if name.endswith(".md") else f"<pre>{html.escape(text)}</pre>"
        made[target] = PAGE.format(title=html.escape(titles[target]), navigation=navigation, body=body).encode()
        made[name] = text.encode()  # the source as well, under its own name
    made["robots.txt"] = b"User-agent: *\nDisallow:\n"
    return made


def inline(text: str) -> str:
    """One line's marks."""
    pieces = re.split(r"(`+[^`]*`+)", text)
    for i, piece in enumerate(pieces):
        if i % 2:
            pieces[i] = f"<code>{html.escape(piece.strip('`'))}</code>"
            continue
        piece = html.escape(piece, quote=False)
        piece = re.sub(r"!\[([^\]]*)\]\(([^)\s]*)\)", r'<img alt="\1" src="\2">', piece)
        piece = re.sub(r"\[([^\]]*)\]\(([^)\s]*)\)", link, piece)
        piece = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", piece)
        pieces[i] = re.sub(r"(?<!\w)\*([^*\s][^*]*)\*(?!\w)", r"<i>\1</i>", piece)
    return "".join(pieces)


def link(match) -> str:
    target = match.group(2)
    if "://" not in target:
        target = re.sub(r"README\.md\b", "index.html", re.sub(r"(?<!README)\.md\b", ".html", target))
    return f'<a href="{target}">{match.group(1)}</a>'


def convert(text: str) -> str:
    """Markdown to HTML, block by block."""
    lines, out, at = text.split("\n"), [], 0
    while at < len(lines):
        line = lines[at]
        if line.startswith("```"):
            end = next((i for i in range(at + 1, len(lines)) if lines[i].startswith("```")), len(lines))
            out.append("<pre>" + html.escape("\n".join(lines[at + 1:end])) + "</pre>")
            at = end + 1
        elif heading := re.match(r"(#{1,6}) +(.*)", line):
            level = len(heading.group(1))
            out.append(f"<h{level}>{inline(heading.group(2))}</h{level}>")
            at += 1
        elif line.startswith("|"):
            at = table(lines, at, out)
        elif re.match(r"\s*([-*]|\d+\.) ", line):
            at = bullets(lines, at, out)
        elif line.startswith(">"):
            end = block_end(lines, at, lambda other: other.startswith(">"))
            out.append("<blockquote>" + inline(" ".join(x[1:].strip() for x in lines[at:end])) + "</blockquote>")
            at = end
        elif not line.strip():
            at += 1
        else:
            end = block_end(lines, at, lambda other: other.strip() and not re.match(r"#|\||```|>|- ", other))
            end = max(end, at + 1)
            out.append("<p>" + inline(" ".join(lines[at:end])) + "</p>")
            at = end
    return "\n".join(out)


def block_end(lines: list, at: int, belongs) -> int:
    end = at
    while end < len(lines) and belongs(lines[end]):
        end += 1
    return end


def table(lines: list, at: int, out: list) -> int:
    end = block_end(lines, at, lambda line: line.startswith("|"))
    rows = [[cell.strip().replace("\0", "|") for cell in line.strip().strip("|").replace("\\|", "\0").split("|")]
            for line in lines[at:end]]
    kind = "th" if len(rows) > 1 and all(re.fullmatch(r":?-+:?", cell) for cell in rows[1]) else "td"
    out.append("<table>")
    for number, row in enumerate(rows):
        if number == 1 and kind == "th":
            continue
        tag = kind if number == 0 else "td"
        out.append("<tr>" + "".join(f"<{tag}>{inline(cell)}</{tag}>" for cell in row) + "</tr>")
    out.append("</table>")
    return end


def bullets(lines: list, at: int, out: list) -> int:
    """One list; a line that is indented and has no mark belongs to the item above it."""
    kind = "ol" if re.match(r"\s*\d", lines[at]) else "ul"
    items, end = [], at
    while end < len(lines):
        item = re.match(r"\s*([-*]|\d+\.) +(.*)", lines[end])
        if item:
            items.append(item.group(2))
        elif lines[end].startswith("  ") and lines[end].strip():
            items[-1] += " " + lines[end].strip()
        else:
            break
        end += 1
    out.append(f"<{kind}>" + "".join(f"<li>{inline(item)}</li>" for item in items) + f"</{kind}>")
    return end
