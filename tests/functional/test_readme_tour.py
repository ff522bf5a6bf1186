"""The README's five-minute tour, run as it stands in a network namespace of its own (its ports are
fixed), with what its comments promise looked for in the output."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["STEERD_SOURCE_DIR"])


class Tour(unittest.TestCase):
    def test_every_command_of_the_tour_works(self):
        blocks = re.findall(r"```sh tour\n(.*?)```", (SOURCE / "README.md").read_text(), re.S)
        self.assertGreaterEqual(len(blocks), 4)
        with tempfile.TemporaryDirectory() as folder:
            work = pathlib.Path(folder) / "tokyo"
            shutil.copytree(SOURCE / "examples/tokyo", work)
            bin_dir = pathlib.Path(folder) / "bin"
            bin_dir.mkdir()
            (bin_dir / "steerd").symlink_to(os.environ["STEERD_BINARY"])
            # Monitor mode gives the jobs their numbers; what runs at the end is ended.
            script = ("set -em\nip link set lo up\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n"
                      + "\n".join(blocks) + "\necho tour-complete\n")
            done = subprocess.run(
                ["unshare", "--net", "bash", "-c", script], cwd=work, text=True, timeout=240,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                env={**os.environ, "PATH": f"{bin_dir}:/usr/bin:/bin:/usr/sbin:/sbin"})
            log = (work / "steerd.log").read_text() if (work / "steerd.log").exists() else ""
        self.assertIn("tour-complete", done.stdout, done.stdout + log)
        out = done.stdout
        for promised in re.findall(r"\+short.*# .*: (127\.0\.0\.1[123])", "\n".join(blocks)):
            self.assertRegex(out, rf"(?m)^{re.escape(promised)}$")
        self.assertIn("lowest estimate", out)
        self.assertRegex(out, r"tokyo .*down")
        self.assertRegex(out, r"transition tokyo 127\.0\.0\.11: up -> down")


if __name__ == "__main__":
    unittest.main()
