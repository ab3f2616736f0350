"""sites.py - where the extension throws errors, with which SQLSTATE and which text.

A site is an ereport(ERROR or FATAL), or a call of a function that does nothing
but throw what it is told: one that is declared pg_attribute_noreturn().  An
elog() is none: it is for what cannot happen.
"""
import dataclasses
import glob
import os
import re
import subprocess

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
EREPORT = re.compile(r"\bereport\(\s*(?:ERROR|FATAL)\b")
DECLARATION = re.compile(r"^(extern |static )?void (\w+)\([^;{]*\)\s*pg_attribute_noreturn\(\);", re.MULTILINE)
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
# A statement, and a call without calls in it; neither ends within a string.
STRING = r'"(?:[^"\\\n]|\\.)*"'
STATEMENT = re.compile(rf"(?:{STRING}|[^\";])*;")
MESSAGE = re.compile(rf"\berrmsg(?:_plural)?\(((?:{STRING}|[^\"()]|\((?:{STRING}|[^\"()])*\))*)\)")
STRINGS = re.compile(rf"{STRING}(?:\s*(?:INT64_FORMAT\s*)?{STRING})*")
SQLSTATE = re.compile(r"#define (?:KN_)?(ERRCODE_\w+)\s+MAKE_SQLSTATE\(((?:'.',?\s*){5})\)")
ERRCODE = re.compile(r"\berrcode\((?:KN_)?(ERRCODE_\w+)\)")


@dataclasses.dataclass
class Site:
    path: str
    line: int
    statement: str  # on one line
    sqlstate: str
    messages: list  # formats that the message is made by, but for single words


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def read_sqlstates():
    """The SQLSTATE of each ERRCODE, the server's and ours."""
    config = os.environ.get("PG_CONFIG", "pg_config")
    include = subprocess.run([config, "--includedir-server"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    text = read(os.path.join(include, "utils", "errcodes.h")) + read("extension/kints_norm.h")
    return {name: "".join(re.findall("'(.)'", letters)) for name, letters in SQLSTATE.findall(text)}


def blank(match):
    """As many lines of nothing."""
    return re.sub(r"[^\n]", " ", match[0])


def unquote(match):
    """The value of strings of C that stand side by side, as a format."""
    text = match[0].replace("INT64_FORMAT", '"%ld"')
    parts = re.findall(STRING, text)
    return re.sub(r"\\(.)", lambda escape: {"n": "\n", "t": "\t"}.get(escape[1], escape[1]), "".join(part[1:-1] for part in parts))


def read_messages(statement):
    """The formats in a statement: of errmsg(), or of a call; a sentence is a hint."""
    strings = [match for part in MESSAGE.findall(statement) for match in STRINGS.finditer(part)]
    if not EREPORT.match(statement):
        strings = STRINGS.finditer(statement)
    return [text for text in map(unquote, strings) if " " in text.strip() and not text[0].isupper()]


def find_throwers(texts):
    """Functions that only throw: {name: (the one file that knows it or None, its ERRCODE)}."""
    found = {}
    for path, text in texts.items():
        for kind, name in DECLARATION.findall(text):
            home = path if kind == "static " else None
            bodies = [re.search(rf"^{name}\([^;{{]*\)\n{{.*?^}}", other, re.MULTILINE | re.DOTALL) for other in
                      ([text] if home else texts.values())]
            body = next(match[0] for match in bodies if match)
            found.setdefault(name, {})[home] = ERRCODE.search(body)[1]
    return found


def find_sites(texts=None):
    """All sites, by file and line; in the sources, or in {path: text}."""
    sqlstates = read_sqlstates()
    if texts is None:
        texts = {path: read(path) for path in sorted(glob.glob("extension/**/*.[ch]", root_dir=ROOT, recursive=True))}
    texts = {path: COMMENT.sub(blank, text) for path, text in texts.items()}
    throwers = find_throwers(texts)
    call = re.compile(rf"^\t+({'|'.join(throwers)})\(", re.MULTILINE)
    sites = []
    for path, text in texts.items():
        for match in [*EREPORT.finditer(text), *call.finditer(text)]:
            start = text.index(match[0].lstrip(), match.start())
            statement = STATEMENT.match(text, start)[0]
            errcode = ERRCODE.search(statement)
            if match.re is call:
                homes = throwers[match[1]]
                errcode = homes.get(path, homes.get(None))
            else:
                errcode = errcode and errcode[1]
            if match.re is call and errcode is None:
                continue  # another file's function of that name
            sites.append(Site(path, text.count("\n", 0, start) + 1, " ".join(statement.split()),
                              sqlstates.get(errcode, "XX000"), read_messages(statement)))
    return sorted(sites, key=lambda site: (site.path, site.line))
