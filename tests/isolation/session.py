"""session.py - psql sessions that live on, private servers, and counting checks.

A session is one psql process.  What is sent runs in the background until it is
waited for, so that some sessions can be in the middle of something at once.
"""
import os
import re
import select
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PATIENCE = int(os.environ.get("P", "120"))     # seconds; nothing here takes longer unless it hangs
MARK = "--end--"

passed = failed = 0


def check(name, ok, detail=""):
    """Counts a check, and shows it with its detail if it failed."""
    global passed, failed
    if ok:
        passed += 1
        print(f"ok      {name}", flush=True)
    else:
        failed += 1
        print(f"FAILED  {name}", flush=True)
        if detail != "":
            print("        " + str(detail)[:2000].replace("\n", "\n        "), flush=True)
    return ok


def check_equal(name, found, wanted):
    return check(name, found == wanted, f"found:  {found!r:.900}\nwanted: {wanted!r:.900}")


def finish():
    print(f"{passed} passed, {failed} failed")
    sys.exit(0 if passed and not failed else 1)


def wait_until(what, condition):
    """The first true value of condition(); looks again and again until patience ends."""
    end = time.monotonic() + PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"waited {PATIENCE} s until {what}")
        time.sleep(0.01)


class SqlError(Exception):
    """sqlstate is '' where the connection ended."""

    def __init__(self, sqlstate, text):
        super().__init__(text)
        self.sqlstate = sqlstate


class Server:
    def __init__(self, name, *options):
        self.name = name
        self.tool("start", *options)
        self.directory = self.tool("dir").strip()
        self.environment = dict(os.environ)
        for key, value in re.findall(r"(\w+)='?([^' \n]+)'?", self.tool("env").replace("$PATH", os.environ["PATH"])):
            self.environment[key] = value.replace('"', "")
        for key in ("PGHOSTADDR", "PGSERVICE", "PGOPTIONS", "PGPASSWORD", "PSQLRC"):
            self.environment.pop(key, None)

    def tool(self, command, *words):
        done = subprocess.run([f"{ROOT}/tests/server", command, self.name, *words], encoding="utf-8",
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
        return done.stdout

    def destroy(self):
        self.tool("destroy")

    def run(self, *command):
        """What a client program prints."""
        return subprocess.run(command, env=self.environment, encoding="utf-8", stdout=subprocess.PIPE, check=True).stdout

    def log(self):
        with open(f"{self.directory}/log/server.log", encoding="utf-8") as file:
            return file.read()


class Session:
    def __init__(self, server, database="postgres", *settings):
        self.process = subprocess.Popen(
            ["psql", "-X", "-q", "-A", "-t", "-v", "VERBOSITY=verbose", "-v", "SHOW_CONTEXT=never", "-d", database],
            env=server.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.output = b""
        self.pid = int(self.ask("SELECT pg_catalog.pg_backend_pid()"))
        for setting in settings:
            self.ask(f"SET {setting}")

    def send(self, sql):
        """Starts statements; psql says on stderr, which it does not buffer, when it is through."""
        self.process.stdin.write(f"{sql};\n\\warn {MARK}\n".encode())
        self.process.stdin.flush()

    def is_done(self):
        self.read()
        return self.output.endswith(f"{MARK}\n".encode()) or self.process.poll() is not None

    def read(self):
        while True:
            try:
                chunk = os.read(self.process.stdout.fileno(), 1 << 20)
            except BlockingIOError:
                return
            if not chunk:
                self.process.wait()
                return
            self.output += chunk

    def wait(self):
        """What they printed, or SqlError."""
        end = time.monotonic() + PATIENCE
        while not self.is_done():
            select.select([self.process.stdout], [], [], 1)
            if time.monotonic() > end:
                raise TimeoutError(f"no answer in {PATIENCE} s")
        text = self.output.decode().replace(f"{MARK}\n", "")
        self.output = b""
        error = re.search(r"^(?:ERROR|FATAL|PANIC): +(\w{5}): (.*)", text, re.MULTILINE | re.DOTALL)
        if error or self.process.poll() is not None:
            raise SqlError(error.group(1) if error else "", text)
        return text.rstrip("\n")

    def ask(self, sql):
        self.send(sql)
        return self.wait()

    def state(self, sql):
        """The SQLSTATE that statements end with, 00000 if they succeed."""
        try:
            self.ask(sql)
        except SqlError as error:
            return error.sqlstate or "08006"
        return "00000"

    def close(self):
        """A session that still runs something is left to end when psql notices."""
        if self.process.poll() is None:
            self.process.stdin.close()
            if self.process.poll() is None and not self.output:
                self.process.kill()
        self.process.wait()
        self.process.stdout.close()
