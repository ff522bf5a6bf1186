"""The Debian package: made by cpack from this build, held against lintian, then installed, started,
reloaded, upgraded, removed and purged on a copy of this system that exists only in memory (an overlay in
a mount namespace of its own), so that the machine stays as it was. It stands with the timed tests because
those run on the Release build, which is what is packaged. Once without systemd, as in a
container, and once with a recorder in the place of systemctl, to see what it would be told."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import steerd_test as t

BUILD = pathlib.Path(t.STEERD).resolve().parent.parent

# Runs in a new mount namespace, as root, with the package(s) in $1; $2 is "systemd" or "container".
ENTER = r"""
set -e
mount -t tmpfs tmpfs "$WORK"
mkdir "$WORK/upper" "$WORK/work" "$WORK/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$WORK/upper,workdir=$WORK/work" "$WORK/root"
mount -t proc proc "$WORK/root/proc"
mount --rbind /dev "$WORK/root/dev"
mount -t tmpfs tmpfs "$WORK/root/run"
mkdir "$WORK/root/packages"
cp "$PACKAGES"/*.deb "$PACKAGES/scene" "$WORK/root/packages/"
exec chroot "$WORK/root" /bin/sh /packages/scene
"""

PRELUDE = r"""
set -eu
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive
fail() { echo "FAILED: $*"; exit 1; }
say() { echo "== $*"; }
dpkg() { command dpkg --force-unsafe-io "$@" >>/tmp/dpkg.log 2>&1 || { cat /tmp/dpkg.log; fail "dpkg $*"; }; }
absent() { for f; do [ ! -e "$f" ] || fail "$f is still there"; done; }
present() { for f; do [ -e "$f" ] || fail "$f is missing"; done; }
ln -sf /bin/true /usr/bin/mandb  # its index takes longest and is not ours
getent passwd steerd && fail "this system has a user steerd already"
"""

# A container: nothing starts by itself, the server is run by hand as the package's user.
CONTAINER = PRELUDE + r"""
say install
dpkg -i /packages/steerd_1_*.deb
id steerd
[ "$(stat -c '%U %a' /var/lib/steerd)" = "steerd 750" ] || fail "state folder"
present /usr/bin/steerd /usr/lib/systemd/system/steerd.service /usr/share/man/man1/steerd.1.gz
steerd --version
ip link set lo up
install -d -o steerd /run/steerd
serve() {
    : >/tmp/log
    setpriv --reuid=steerd --regid=steerd --clear-groups --no-new-privs \
        steerd serve -c /etc/steerd/steerd.toml 2>/tmp/log & server=$!
    for i in $(seq 600); do
        grep -q ' ready$' /tmp/log && return
        kill -0 $server 2>/dev/null || break
        sleep 0.1
    done
    cat /tmp/log
    fail "it did not get ready"
}
end() { kill $server; wait $server || fail "status $?"; }
say start
serve
dig +tries=1 +timeout=5 @127.0.0.1 -p 5300 example.com | grep -q 'status: REFUSED' || fail "not refused"
say reload
cat >/etc/steerd/example.com.zone <<Z
\$TTL 60
@ SOA ns1.example.com. host.example.com. 1 60 60 60 60
@ NS ns1.elsewhere.test.
www A 192.0.2.77
Z
printf '[zones."example.com"]\nfile = "example.com.zone"\n' >>/etc/steerd/steerd.toml
kill -HUP $server
for i in $(seq 600); do grep -q ' reloaded$' /tmp/log && break; sleep 0.1; done
[ "$(dig +short @127.0.0.1 -p 5300 www.example.com)" = 192.0.2.77 ] || { cat /tmp/log; fail "not served"; }
end
ls /var/lib/steerd
touch /var/lib/steerd/mine
say upgrade
dpkg --force-confold -i /packages/steerd_2_*.deb
[ "$(dpkg-query -W -f '${Version}' steerd)" = 99.0 ] || fail "version"
grep -q example.com.zone /etc/steerd/steerd.toml || fail "configuration lost"
present /var/lib/steerd/mine
serve
[ "$(dig +short @127.0.0.1 -p 5300 www.example.com)" = 192.0.2.77 ] || fail "not served after the upgrade"
end
say remove
dpkg -r steerd
absent /usr/bin/steerd /usr/lib/systemd/system/steerd.service
present /etc/steerd/steerd.toml /var/lib/steerd/mine
say "install again"
dpkg -i /packages/steerd_2_*.deb
grep -q example.com.zone /etc/steerd/steerd.toml || fail "configuration lost"
say purge
dpkg -P steerd
absent /etc/steerd/steerd.toml /var/lib/steerd
present /etc/steerd/example.com.zone
rm /etc/steerd/example.com.zone
dpkg -i /packages/steerd_1_*.deb
dpkg -P steerd
absent /etc/steerd /var/lib/steerd
say done
"""

# With systemd running, as far as the package can see: what is systemctl told?
SYSTEMD = PRELUDE + r"""
mkdir -p /run/systemd/system
mv /usr/bin/systemctl /usr/bin/systemctl.real
cat >/usr/bin/systemctl <<'S'
#!/bin/sh
echo "$*" >>/tmp/told
case "$*" in
    *is-enabled*) exec /usr/bin/systemctl.real --root=/ is-enabled steerd.service ;;
    *is-active*) test -e /tmp/active || exit 3 ;;
    *" start "*|*restart*) touch /tmp/active ;;
    *stop*) rm -f /tmp/active ;;
    *preset*|*enable*|*disable*) exec /usr/bin/systemctl.real "$@" ;;  # these work on links alone
    *show*) echo loaded ;;
esac
S
chmod 755 /usr/bin/systemctl
rm -f /usr/sbin/policy-rc.d
told() { cat /tmp/told; grep -q -- "$1" /tmp/told || fail "systemctl was not told: $1"; : >/tmp/told; }
not_told() { ! grep -q -- "$1" /tmp/told || fail "systemctl was told: $1"; }
: >/tmp/told
say install
dpkg -i /packages/steerd_1_*.deb
present /etc/systemd/system/multi-user.target.wants/steerd.service
absent /etc/systemd/system/sockets.target.wants/steerd.socket
told ' start steerd.service'
say upgrade
dpkg -i /packages/steerd_2_*.deb
not_told '^stop\| stop '
told 'restart steerd.service'
say "a service that was disabled stays so"
/usr/bin/systemctl.real --root=/ disable steerd.service
dpkg -i /packages/steerd_2_*.deb
absent /etc/systemd/system/multi-user.target.wants/steerd.service
told ' restart steerd.service'  # it runs, so it gets the new program
say remove
dpkg -r steerd
told 'stop steerd.service'
dpkg -P steerd
absent /var/lib/systemd/deb-systemd-helper-enabled/steerd.service.dsh-also /etc/systemd/system/steerd.service
say done
"""


def cannot():
    cache = (BUILD / "CMakeCache.txt").read_text()
    if re.search(r"(?m)^STEERD_SANITIZE:\w+=.+$", cache):
        return "a package is made of a Release build"
    if os.geteuid() != 0:
        return "needs root"
    for tool in ("cpack", "dpkg-deb", "unshare", "setpriv", "dig", "deb-systemd-helper"):
        if not shutil.which(tool):
            return f"needs {tool}"
    with tempfile.TemporaryDirectory() as folder:
        script = ('mount -t tmpfs t "$0" && mkdir "$0"/u "$0"/w "$0"/m && mount -t overlay o '
                  '-o "lowerdir=/,upperdir=$0/u,workdir=$0/w" "$0/m"')
        if subprocess.run(["unshare", "-m", "sh", "-c", script, folder], capture_output=True,
                          timeout=60).returncode != 0:
            return "this machine lets nobody mount an overlay"
    return None


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        why = cannot()
        if why:
            raise unittest.SkipTest(why)
        cls.folder = tempfile.TemporaryDirectory()
        cls.out = pathlib.Path(cls.folder.name)
        done = subprocess.run(["cpack", "-G", "DEB", "--config", str(BUILD / "CPackConfig.cmake"),
                               "-B", str(cls.out / "cpack")], cwd=BUILD, capture_output=True,
                              text=True, timeout=300)
        found = list((cls.out / "cpack").glob("*.deb"))
        if done.returncode != 0 or len(found) != 1:
            raise AssertionError(done.stdout + done.stderr)
        cls.deb = found[0]
        cls.packages = cls.out / "packages"
        cls.packages.mkdir()
        shutil.copy(cls.deb, cls.packages / "steerd_1_.deb")
        # The next version: the same files under a higher number.
        next_one = cls.out / "next"
        subprocess.run(["dpkg-deb", "-R", str(cls.deb), str(next_one)], check=True, timeout=60)
        control = next_one / "DEBIAN/control"
        control.write_text(re.sub(r"(?m)^Version: .*$", "Version: 99.0", control.read_text()))
        config = next_one / "etc/steerd/steerd.toml"
        config.write_text("# A comment of the next version.\n" + config.read_text())
        subprocess.run(["dpkg-deb", "-b", str(next_one), str(cls.packages / "steerd_2_.deb")],
                       check=True, capture_output=True, timeout=120)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def play(self, scene):
        (self.packages / "scene").write_text(scene)
        with tempfile.TemporaryDirectory() as work:
            done = subprocess.run(
                ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER],
                env=dict(os.environ, WORK=work, PACKAGES=str(self.packages)), timeout=400,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("== done", done.stdout)

    def test_metadata(self):
        field = lambda name: subprocess.run(["dpkg-deb", "-f", str(self.deb), name], check=True,
                                            capture_output=True, text=True).stdout.strip()
        self.assertEqual((field("Package"), field("Section")), ("steerd", "net"))
        for library in ("libc6", "libcurl4", "libfstrm0", "libldns3", "libmaxminddb0", "libuv1"):
            self.assertIn(library, field("Depends"))
        contents = subprocess.run(["dpkg-deb", "-c", str(self.deb)], check=True, capture_output=True,
                                  text=True).stdout
        for line in contents.splitlines():
            self.assertRegex(line, r" root/root .* \./(usr|etc)?", line)
            self.assertNotRegex(line.split()[0], r"^-....w|^-.......w", line)
        unit = subprocess.run(f"dpkg-deb --fsys-tarfile {self.deb} | "
                              "tar -xO ./usr/lib/systemd/system/steerd.service", shell=True,
                              check=True, capture_output=True, text=True).stdout
        self.assertIn("ExecStart=/usr/bin/steerd serve -c /etc/steerd/steerd.toml", unit)

    def test_lintian_finds_no_error(self):
        if not shutil.which("lintian"):
            self.skipTest("needs lintian")
        done = subprocess.run(["lintian", "--allow-root", "--tag-display-limit", "0", str(self.deb)],
                              capture_output=True, text=True, timeout=300)
        errors = [l for l in done.stdout.splitlines() if l.startswith("E:")]
        self.assertEqual(errors, [])
        print("\n  " + (done.stdout.strip() or "lintian says nothing"), end=" ")

    def test_the_shipped_configuration_checks_and_serves_nothing(self):
        text = (t.SOURCE / "packaging/steerd.toml").read_text()
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "steerd.toml"
            # Every commented key is uncommented, too: examples must be right.
            live = re.sub(r"(?m)^# (?=\[|\w+ = |\"www\")", "", text)
            file.write_text(text)
            if "check" not in t.run_steerd("help").stdout:
                self.skipTest("needs the whole binary")
            done = t.run_steerd("check", "-c", str(file))
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertIn("every query will be refused", done.stdout)
            (pathlib.Path(folder) / "example.com.zone").write_text(t.zone_text())
            file.write_text(live)
            done = t.run_steerd("check", "-c", str(file))
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertIn("www.example.com.", done.stdout)

    def test_life_in_a_container(self):
        self.play(CONTAINER)

    def test_what_systemd_is_told(self):
        self.play(SYSTEMD)


if __name__ == "__main__":
    t.main()
