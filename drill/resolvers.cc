#include "drill/resolvers.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>

namespace steerd::drill {

namespace {

std::string bare(const std::string& zone) {
    return zone.size() > 1 && zone.ends_with('.') ? zone.substr(0, zone.size() - 1) : zone;
}

CacheModel rounded(Rounding rounding) {
    CacheModel model;
    model.rounding = rounding;
    return model;
}

CacheModel unbound_model() { return rounded(Rounding::FloorPlusOne); }

CacheModel bind_model() {
    CacheModel model = rounded(Rounding::Floor);
    model.max_ttl_s = 604800;
    model.prefetch = Prefetch{0, 2, 9};
    return model;
}

CacheModel knot_model() {
    CacheModel model = rounded(Rounding::FloorPlusOne);
    model.min_ttl_s = 5;
    return model;
}

CacheModel powerdns_model() {
    CacheModel model = rounded(Rounding::Floor);
    model.min_ttl_s = 1;
    return model;
}

CacheModel dnsmasq_model() { return rounded(Rounding::Floor); }

/// A zone of one's own beats the special zone above it, which would be answered from within.
ResolverFiles unbound_files(const ResolverPlace& place) {
    const std::string folder = place.folder.string();
    const std::string config = fmt::format(
        "server:\n"
        "  directory: \"{0}\"\n  chroot: \"\"\n  username: \"\"\n  pidfile: \"\"\n"
        "  use-syslog: no\n  verbosity: 1\n  num-threads: 1\n  do-ip6: no\n"
        "  interface: 127.0.0.1@{1}\n  access-control: 127.0.0.0/8 allow\n"
        "  do-not-query-localhost: no\n  module-config: \"iterator\"\n"
        "  local-zone: \"{2}\" transparent\n"
        "remote-control:\n  control-enable: no\n"
        "stub-zone:\n  name: \"{2}\"\n  stub-addr: 127.0.0.1@{3}\n"
        "forward-zone:\n  name: \".\"\n  forward-addr: 127.0.0.1@{3}\n",
        folder, place.port, place.zone, place.forward);
    return {{{"unbound.conf", config}}, {"-d", "-c", folder + "/unbound.conf"}};
}

ResolverFiles bind_files(const ResolverPlace& place) {
    const std::string folder = place.folder.string();
    const std::string config = fmt::format(
        "options {{\n"
        "  directory \"{0}\";\n  pid-file none;\n  session-keyfile \"{0}/session.key\";\n"
        "  lock-file none;\n  managed-keys-directory \"{0}\";\n"
        "  listen-on port {1} {{ 127.0.0.1; }};\n  listen-on-v6 {{ none; }};\n"
        "  recursion yes;\n  allow-query {{ any; }};\n  allow-recursion {{ 127.0.0.0/8; }};\n"
        "  dnssec-validation no;\n  empty-zones-enable no;\n"
        "  forward only;\n  forwarders {{ 127.0.0.1 port {2}; }};\n"
        "}};\ncontrols {{ }};\n",
        folder, place.port, place.forward);
    return {{{"named.conf", config}}, {"-g", "-n", "1", "-c", folder + "/named.conf"}};
}

/// FORWARD and not STUB: a stub keeps whole packets, whatever their TTL for 5 s (measured).
ResolverFiles knot_files(const ResolverPlace& place) {
    const std::string folder = place.folder.string();
    const std::string config = fmt::format(
        "net.listen('127.0.0.1', {0}, {{ kind = 'dns' }})\n"
        "net.ipv6 = false\n"
        "trust_anchors.remove('.')\n"
        "modules.unload('priming')\nmodules.unload('ta_signal_query')\n"
        "modules.unload('ta_update')\nmodules.unload('ta_sentinel')\n"
        "modules = {{ 'policy' }}\n"
        "policy.add(policy.all(policy.FORWARD({{ '127.0.0.1@{1}' }})))\n"
        "cache.open(20 * MB, 'lmdb://{2}/cache')\n",
        place.port, place.forward, folder);
    return {{{"kresd.conf", config}}, {"-n", "-c", folder + "/kresd.conf", folder}};
}

ResolverFiles powerdns_files(const ResolverPlace& place) {
    const std::string folder = place.folder.string();
    const std::string config = fmt::format(
        "socket-dir={0}\nlocal-address=127.0.0.1\nlocal-port={1}\n"
        "forward-zones={2}=127.0.0.1:{3},.=127.0.0.1:{3}\n"
        "dont-query=\ndnssec=off\nthreads=1\nsecurity-poll-suffix=\n"
        "daemon=no\nwrite-pid=no\nsetuid=\nsetgid=\n",
        folder, place.port, bare(place.zone), place.forward);
    return {{{"recursor.conf", config}}, {"--config-dir=" + folder}};
}

/// Room for more than its usual 150 names; the rest of what it does is its default.
ResolverFiles dnsmasq_files(const ResolverPlace& place) {
    std::vector<std::string> arguments{
        "-k",
        "--log-facility=-",
        "--conf-file=/dev/null",
        fmt::format("--port={}", place.port),
        "--listen-address=127.0.0.1",
        "--bind-interfaces",
        "--no-resolv",
        "--no-hosts",
        "--cache-size=10000",
        fmt::format("--server=/{}/127.0.0.1#{}", place.zone == "." ? "#" : bare(place.zone),
                    place.forward),
        "--pid-file="};
    if (::geteuid() == 0) {
        arguments.emplace_back("--user=root");  // the folder is ours alone
    }
    return {{}, arguments};
}

constexpr std::array<ResolverKind, 5> kKinds{{
    {"Unbound", "unbound", "-V", "Version ", "T + 1 - f", unbound_model, unbound_files},
    {"BIND", "named", "-v", "BIND ", "T - f, refreshed by a query with 2 s or less left (T >= 9 s)",
     bind_model, bind_files},
    {"Knot Resolver", "kresd", "-V", "version ", "max(T, 5 s) + 1 - f", knot_model, knot_files},
    {"PowerDNS Recursor", "pdns_recursor", "--version", "Recursor ", "T - f", powerdns_model,
     powerdns_files},
    {"dnsmasq", "dnsmasq", "--version", "version ", "T - f", dnsmasq_model, dnsmasq_files},
}};

}  // namespace

std::span<const ResolverKind> resolver_kinds() noexcept { return kKinds; }

std::optional<std::filesystem::path> find_program(std::string_view program) {
    const char* const path = std::getenv("PATH");
    const std::string folders =
        std::string(path == nullptr ? "" : path) + ":/usr/local/sbin:/usr/sbin:/sbin";
    for (std::size_t at = 0; at <= folders.size();) {
        const std::size_t end = std::min(folders.find(':', at), folders.size());
        const std::filesystem::path folder = folders.substr(at, end - at);
        at = end + 1;
        // A relative folder would run whatever lies where the drill was started.
        if (folder.is_absolute() && ::access((folder / program).c_str(), X_OK) == 0) {
            return folder / program;
        }
    }
    return std::nullopt;
}

std::optional<std::string> write_files(const ResolverPlace& place, const ResolverFiles& files) {
    for (const auto& [name, text] : files.files) {
        std::ofstream out(place.folder / name, std::ios::binary | std::ios::trunc);
        out << text;
        out.close();
        if (!out) {
            return fmt::format("{} cannot be written", (place.folder / name).string());
        }
    }
    return std::nullopt;
}

std::string version_in(const ResolverKind& kind, std::string_view text) {
    for (auto at = text.find(kind.version_mark); at != std::string_view::npos;
         at = text.find(kind.version_mark, at + 1)) {
        const std::string_view rest = text.substr(at + kind.version_mark.size());
        const std::string_view word = rest.substr(0, rest.find_first_of(" \n\t,;"));
        if (!word.empty() && word.front() >= '0' && word.front() <= '9') {
            return std::string(word);
        }
    }
    return {};
}

}  // namespace steerd::drill
