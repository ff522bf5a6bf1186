// The parts of [server] and [admin] that name nothing else of a configuration. Thread rule: as
// model.h.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/ip.h"
#include "dns/name.h"

namespace steerd::config {

/// One in so many queries goes to the query log: of a name, of a zone, or of all.
struct QueryLogRule {
    std::uint32_t one_in = 1;
    std::optional<dns::Name> name;
    std::optional<dns::Name> zone;

    friend bool operator==(const QueryLogRule&, const QueryLogRule&) = default;
};

/// Where dnstap messages go: a Unix socket that someone listens on, or a file.
struct DnstapConfig {
    std::filesystem::path path;
    bool socket = true;

    friend bool operator==(const DnstapConfig&, const DnstapConfig&) = default;
};

struct AdminConfig {
    std::vector<std::filesystem::path> unix_sockets;
    std::vector<base::SocketAddress> tcp;
    std::vector<std::string> hosts;
    std::optional<std::filesystem::path> token_file;

    friend bool operator==(const AdminConfig&, const AdminConfig&) = default;
};

}  // namespace steerd::config
