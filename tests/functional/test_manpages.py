"""Man pages and completions know what the program knows: each command and option of `steerd help`, each
key that the readers of configuration and scenarios accept, and each that the reference names."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import steerd_test as t

MAN = t.SOURCE / "man"
COMPLETIONS = t.SOURCE / "completions"


def commands():
    return re.findall(r"(?m)^  (?!steerd )([a-z]+) +[a-z]", t.run_steerd("help").stdout)


def usage(command):
    return t.run_steerd("help", command).stdout


def plain(page):
    """A page as mandoc or man would show it, without its markup: a key is a word of its own."""
    text = re.sub(r"(?m)^\.\\\".*$", "", (MAN / page).read_text())
    return text.replace(r"\(dq", '"')


def marked(page, macro):
    """What the page marks with a macro (.Ic in steerd.toml.5)."""
    found = set()
    for line in re.findall(rf"(?m)^\.(?:It )?(?:Pq )?{macro} (.*)$", plain(page)):
        found.update(re.findall(r"[a-z][a-z0-9_]*", line))
    for line in re.findall(rf"(?m)^\.It {macro} (.*)$", plain(page)):
        found.update(re.findall(r"[a-z][a-z0-9_]*", line))
    return found


def keys_of_the_reference():
    """Every key in the tables of docs/configuration.md."""
    out = set()
    for line in (t.SOURCE / "docs/configuration.md").read_text().splitlines():
        cell = re.match(r"\| ((?:`\w+`(?:, )?)+) \|", line)
        if cell:
            out.update(re.findall(r"`(\w+)`", cell.group(1)))
    return out


def keys_of_the_readers(*patterns):
    """Every key that a reader asks its table for."""
    out = set()
    for pattern in patterns:
        for path in t.SOURCE.glob(pattern):
            text = path.read_text()
            out.update(re.findall(r'\b(?:text|texts|path|paths|integer|number|boolean|flag|duration|word|'
                                  r'array|table|tables|read_\w+)\((?:\w+, )?"([a-z_0-9]+)"', text))
    return out


class ManPages(unittest.TestCase):
    def test_they_are_well_formed(self):
        for page in ("steerd.1", "steerd.toml.5"):
            done = subprocess.run(["groff", "-mdoc", "-Tutf8", "-ww", str(MAN / page)],
                                  capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stderr), (0, ""), page)
            self.assertIn("NAME", done.stdout)

    def test_every_command_and_option_is_told(self):
        page = plain("steerd.1")
        told = set(re.findall(r"(?m)^\.It Cm (\w+)", page))
        missing = [c for c in commands() if c not in told]
        for command in commands():
            # Each option in the command's own items, or in the list of common ones.
            items = re.findall(rf"(?ms)^\.It Cm {command}\b.*?(?=^\.It Cm (?!{command}\b)|^\.El)", page)
            common = page[page.index(".Sh OPTIONS"):]
            for option in set(re.findall(r"(?<![\w-])--([a-z][a-z-]*)", usage(command))):
                if f"Fl -{option}" not in "".join(items) + common:
                    missing.append(f"{command} --{option}")
        self.assertEqual(missing, [])

    def test_every_key_of_the_configuration_is_told(self):
        told = marked("steerd.toml.5", "Ic")
        reference = keys_of_the_reference()
        self.assertGreater(len(reference), 50)
        self.assertEqual(sorted(reference - told), [])
        readers = keys_of_the_readers("config/load*.cc") - {"server", "admin", "geo", "regions", "zones",
                                                            "probes", "endpoints", "routes", "networks"}
        self.assertGreater(len(readers), 30)
        self.assertEqual(sorted(readers - told), [])

    def test_every_key_of_scenarios_is_told(self):
        told = marked("steerd.toml.5", "Ic")
        readers = keys_of_the_readers("drill/scenario*.cc") - {"drill", "resolvers", "demand", "events",
                                                               "expect", "sweep"}
        self.assertGreater(len(readers), 20)
        self.assertEqual(sorted(readers - told), [])

    def test_no_key_is_told_that_nobody_reads(self):
        known = keys_of_the_reference() | keys_of_the_readers("config/load*.cc", "drill/scenario*.cc")
        code = "\n".join(p.read_text() for f in ("config", "drill", "health")
                         for p in (t.SOURCE / f).glob("*.cc"))
        strange = [k for k in marked("steerd.toml.5", "Ic") if k not in known and f'"{k}' not in code]
        self.assertEqual(sorted(set(strange) - {"steerd", "check", "drill"}), [])

    def test_the_example_in_the_page_loads(self):
        example = re.search(r"(?s)\.Bd -literal[^\n]*\n(.*?)\.Ed", plain("steerd.toml.5")).group(1)
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "steerd.toml").write_text(example)
            (pathlib.Path(folder) / "example.com.zone").write_text(t.zone_text())
            done = t.run_steerd("check", "-c", "steerd.toml", cwd=folder)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Completions(unittest.TestCase):
    CONFIG = '[regions.tokyo]\n[endpoints.tokyo]\n[endpoints."two words"]\n[endpoints.vir-1]\n[routes.www]\n'

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        folder = pathlib.Path(self.folder.name)
        (folder / "steerd.toml").write_text(self.CONFIG)
        (folder / "bin").mkdir()
        (folder / "bin/steerd").symlink_to(t.STEERD)
        self.env = dict(os.environ, PATH=f"{folder / 'bin'}:/usr/bin:/bin", HOME=str(folder),
                        XDG_CONFIG_HOME=str(folder), XDG_DATA_HOME=str(folder))

    def tearDown(self):
        self.folder.cleanup()

    def shell(self, *words):
        done = subprocess.run(words, capture_output=True, text=True, env=self.env, timeout=60,
                              cwd=self.folder.name, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def bash(self, line):
        """What bash itself would offer after the line."""
        script = r"""
        source "$1"
        line=$2
        COMP_LINE=$line COMP_POINT=${#line}
        # bash's own way to take a line apart: at blanks, and ":" is a word of its own.
        read -ra COMP_WORDS <<<"${line//:/ : }"
        [[ $line == *" " ]] && COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _steerd steerd
        printf '%s\n' "${COMPREPLY[@]}"
        """
        return self.shell("bash", "--norc", "-c", script, "bash", str(COMPLETIONS / "steerd.bash"),
                          line).split()

    def test_bash_offers_every_command(self):
        self.assertEqual(set(self.bash("steerd ")), {*commands(), "help", "--version"})
        self.assertIn("explain", self.bash("steerd ex"))
        self.assertNotIn("serve", self.bash("steerd ex"))

    def test_bash_offers_every_option_of_each_command(self):
        for command in commands():
            wanted = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", usage(command)))
            self.assertEqual(wanted - set(self.bash(f"steerd {command} -")), set(), command)

    def test_bash_offers_names_of_the_configuration(self):
        self.assertEqual(self.bash("steerd drain to"), ["tokyo"])
        self.assertIn("region:tokyo", self.bash("steerd down "))
        self.assertEqual(self.bash("steerd drain region:"), ["tokyo"])  # "region:" is on the line
        self.assertEqual(self.bash("steerd release route:w"), ["www"])
        self.assertEqual(self.bash("steerd explain www.example.com A --down vir"), ["vir-1"])

    def test_names_come_from_the_running_server_where_there_is_one(self):
        zone = '[zones."example.com"]\nfile = "example.com.zone"\n'
        with t.Steerd('[admin]\nlisten = ["unix:admin.sock"]\n[regions.east]\nlocation = [1, 2]\n'
                      '[endpoints.live-1]\naddresses = ["192.0.2.1"]\n[routes.all]\npolicy = "failover"\n'
                      'members = ["live-1"]\n' + zone, {"example.com.zone": t.zone_text()}) as steerd:
            admin = f"--admin unix:{steerd.folder}/admin.sock"
            self.assertEqual(self.bash(f"steerd drain {admin} "), ["live-1", "region:east"])
            self.assertEqual(set(self.bash(f"steerd release {admin} ")),
                             {"live-1", "region:east", "route:all"})
            if shutil.which("fish"):
                out = self.shell("fish", "--no-config", "-c", f'source {COMPLETIONS / "steerd.fish"}; '
                                 f'complete -C "steerd drain {admin} "').split()
                self.assertEqual(out, ["live-1", "region:east"])
            if shutil.which("zsh"):
                out = self.shell("zsh", "-f", "-c", r"""
                    compadd() { shift; print -l -- ${(P)2-} ${(P)1-}; }
                    _files() { : }
                    words=(steerd '') CURRENT=0 opt_args=()
                    functions[_s]="$(<$1)"
                    _s 2>/dev/null
                    words=(steerd drain --admin $2 '') CURRENT=5
                    _steerd_orderable
                    """, "zsh", str(COMPLETIONS / "_steerd"), admin.split()[1])
                self.assertIn("live-1", out.split())
                self.assertNotIn("route:all", out)
        # It is gone: the configuration tells.
        self.assertEqual(self.bash(f"steerd drain {admin} to"), ["tokyo"])

    def test_bash_offers_files_where_a_file_is_meant(self):
        self.assertIn("steerd.toml", self.bash("steerd check -c st"))
        self.assertIn("steerd.toml", self.bash("steerd drill st"))

    @unittest.skipUnless(shutil.which("zsh"), "needs zsh")
    def test_zsh_reads_its_file_and_finds_the_commands(self):
        out = self.shell("zsh", "-f", "-c", r"""
            autoload -Uz compinit
            _describe() { print -l -- ${(P)2}; }
            compadd() { shift; print -l -- ${(P)2-} $@; }
            functions[_s]="$(<$1)"
            words=(steerd '') CURRENT=2 opt_args=()
            _s
            """, "zsh", str(COMPLETIONS / "_steerd"))
        self.assertEqual(set(commands()) - set(re.findall(r"(?m)^([a-z]+):", out)), set(), out)

    @unittest.skipUnless(shutil.which("fish"), "needs fish")
    def test_fish_offers_commands_options_and_names(self):
        def fish(line):
            return [l.split("\t")[0] for l in self.shell(
                "fish", "--no-config", "-c", f'source {COMPLETIONS / "steerd.fish"}; complete -C "{line}"'
            ).splitlines()]
        self.assertEqual(set(commands()) - set(fish("steerd ")), set())
        self.assertIn("--json", fish("steerd check --"))
        self.assertIn("region:tokyo", fish("steerd drain re") if "drain" in commands()
                      else ["region:tokyo"])


if __name__ == "__main__":
    t.main()
