// The resolvers that a validation knows: how each is started as a cache before one server, and what
// its cache does with a TTL. Programs come from PATH and the folders of system programs. Each runs
// in the foreground, on one loopback port, in a folder that is its own and was empty (Knot Resolver
// keeps its cache in files). Whatever it is asked, it asks the one server: no root server is ever
// asked, and names that resolvers treat specially (test., 10.in-addr.arpa., ...) are not.
// What each does by default was measured: lives end on whole seconds, T - f or T + 1 - f after the
// fetch, f being the fraction of the second at which it fetched.
// Thread rule: values and pure functions, but for find_program() and write_files().
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "drill/cache.h"

namespace steerd::drill {

/// Where one resolver works.
struct ResolverPlace {
    std::filesystem::path folder;
    std::string zone;           // whose names it is asked for: "example.com."
    std::uint16_t port = 0;     // of its own, on 127.0.0.1
    std::uint16_t forward = 0;  // the port on 127.0.0.1 that it sends its questions to
};

struct ResolverFiles {
    std::vector<std::pair<std::string, std::string>> files;  // name in the folder, text
    std::vector<std::string> arguments;                      // without the program
};

struct ResolverKind {
    std::string_view name;            // "Unbound"
    std::string_view program;         // "unbound"
    std::string_view version_option;  // that makes it tell its version
    std::string_view version_mark;    // what stands before the version in that text
    std::string_view model_text;      // of its cache, in words
    CacheModel (*model)();
    ResolverFiles (*files)(const ResolverPlace&);
};

/// Unbound, BIND, Knot Resolver, PowerDNS Recursor, dnsmasq.
[[nodiscard]] std::span<const ResolverKind> resolver_kinds() noexcept;

/// In PATH, /usr/local/sbin, /usr/sbin or /sbin; nullopt: not installed.
[[nodiscard]] std::optional<std::filesystem::path> find_program(std::string_view program);

/// Into the folder, which exists; what went wrong, or nothing.
[[nodiscard]] std::optional<std::string> write_files(const ResolverPlace& place,
                                                     const ResolverFiles& files);

/// The version in what the program said; empty where it is not found.
[[nodiscard]] std::string version_in(const ResolverKind& kind, std::string_view text);

}  // namespace steerd::drill
