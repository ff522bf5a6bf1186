// [server] and [admin]: where to listen, who this node is, where its state lives. What hostile
// traffic may take is load_limits.cc.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/draft.h"
#include "config/load_logging.h"

namespace steerd::config {

namespace {

constexpr std::size_t kLongestCharacterString = 255;  // RFC 1035 §3.3
constexpr std::size_t kLongestUnixPath = 107;         // sun_path of Linux, without its final zero
constexpr std::string_view kUnix = "unix:";

bool is_loopback(const base::IpAddress& address) {
    const auto octets = address.octets();
    if (address.is_v4()) {
        return octets[0] == 127;
    }
    return octets.back() == 1 &&
           std::all_of(octets.begin(), octets.end() - 1, [](auto octet) { return octet == 0; });
}

std::optional<base::SocketAddress> read_socket(const TomlTable& table, std::string_view key,
                                               const LocatedText& item) {
    const auto address = base::SocketAddress::parse(item.text);
    if (!address) {
        table.error(item.at, fmt::format("{} must be an IP address with a port like "
                                         "\"192.0.2.1:53\" or \"[::1]:53\", got {}",
                                         key, in_quotes(item.text)));
    }
    return address;
}

/// False, with a problem, when it is there already.
template <typename T>
bool add_once(const TomlTable& table, std::set<T>& seen, const T& value, const LocatedText& item) {
    if (!seen.insert(value).second) {
        table.error(item.at, fmt::format("listen has {} twice", in_quotes(item.text)));
        return false;
    }
    return true;
}

/// Port 0 means any free one, each time another.
bool add_tcp(const TomlTable& table, std::set<base::SocketAddress>& seen,
             std::vector<base::SocketAddress>& all, const base::SocketAddress& address,
             const LocatedText& item) {
    if (address.port != 0 && !add_once(table, seen, address, item)) {
        return false;
    }
    all.push_back(address);
    return true;
}

void read_listen(TomlTable& table, ServerConfig& server) {
    if (!table.has("listen")) {
        table.error(table.at(),
                    "listen is missing; add listen = [\"127.0.0.1:53\", \"[::1]:53\"] to [server]");
        return;
    }
    const auto* node = table.array("listen");
    if (node != nullptr && node->items.empty()) {
        table.error(table.at(*node), "listen is empty; name an address like \"127.0.0.1:53\"");
    }
    std::set<base::SocketAddress> seen;
    for (const auto& item : table.texts("listen")) {
        if (const auto address = read_socket(table, "listen", item)) {
            add_tcp(table, seen, server.listen, *address, item);
        }
    }
}

void read_resolver(TomlTable& table, ServerConfig& server) {
    const auto text = table.text("resolver");
    if (!text) {
        return;
    }
    if (const auto alone = base::IpAddress::parse(*text)) {
        server.resolver = base::SocketAddress{*alone, 53};
        return;
    }
    server.resolver = read_socket(table, "resolver", {*text, table.at("resolver")});
    if (server.resolver && server.resolver->port == 0) {
        table.error("resolver", "resolver must have a port 1..65535");
    }
}

/// Empty where it is absent.
std::string read_character_string(TomlTable& table, std::string_view key) {
    auto text = table.text(key).value_or("");
    if (text.size() > kLongestCharacterString) {
        table.error(key, fmt::format("{} has at most {} octets", key, kLongestCharacterString));
    }
    return text;
}

void add_unix(Draft& draft, const TomlTable& table, std::set<std::filesystem::path>& seen,
              const LocatedText& item) {
    const auto path = draft.source.folder / item.text.substr(kUnix.size());
    if (item.text.size() == kUnix.size()) {
        table.error(item.at, "\"unix:\" needs a path behind it");
    } else if (path.string().size() > kLongestUnixPath) {
        table.error(item.at, fmt::format("the path of a Unix socket has at most {} octets, this "
                                         "one has {}",
                                         kLongestUnixPath, path.string().size()));
    } else if (add_once(table, seen, path, item)) {
        draft.model->admin.unix_sockets.push_back(path);
    }
}

}  // namespace

void load_server(Draft& draft, TomlTable& root) {
    auto& server = draft.model->server;
    const auto* node = root.table("server");
    if (root.has("server") && node == nullptr) {
        return;
    }
    TomlNode absent;
    absent.line = 1;
    absent.column = 1;
    TomlTable table(node != nullptr ? *node : absent, "server", draft.source, draft.problems);
    read_listen(table, server);
    server.workers = static_cast<std::uint32_t>(table.integer("workers", {0, 1024}).value_or(0));
    server.identity = read_character_string(table, "identity");
    server.version = read_character_string(table, "version");
    server.cookie_secrets = table.path("cookie_secrets");
    server.state_dir = table.path("state_dir");
    if (!table.has("state_dir")) {
        table.warning(table.at(),
                      "state_dir is missing: overrides and health are kept in memory only and "
                      "lost at a restart");
    }
    server.location = read_location(table, "location");
    if (const auto region = table.text("region")) {
        const auto id = resolve(table, draft.regions, "region", {*region, table.at("region")});
        server.region = id ? std::optional(RegionId{*id}) : std::nullopt;
    }
    read_resolver(table, server);
    read_query_log(draft, table);
    read_dnstap(table, server);
    server.rate_limit = load_rate_limit(draft, table);
    server.tcp = load_tcp(draft, table);
    table.finish();
}

void load_admin(Draft& draft, TomlTable& root) {
    auto& admin = draft.model->admin;
    const auto* node = root.table("admin");
    if (node == nullptr) {
        return;
    }
    TomlTable table(*node, "admin", draft.source, draft.problems);
    std::set<std::filesystem::path> paths;
    std::set<base::SocketAddress> addresses;
    for (const auto& item : table.texts("listen")) {
        if (item.text.substr(0, kUnix.size()) == kUnix) {
            add_unix(draft, table, paths, item);
            continue;
        }
        const auto address = base::SocketAddress::parse(item.text);
        if (!address) {
            table.error(item.at, fmt::format("listen must be \"unix:PATH\" or an IP address with a "
                                             "port like \"127.0.0.1:5380\", got {}",
                                             in_quotes(item.text)));
            continue;
        }
        if (add_tcp(table, addresses, admin.tcp, *address, item) &&
            !is_loopback(address->address)) {
            table.warning(item.at, fmt::format("{} is not a loopback address: status can be read "
                                               "by everyone who reaches it",
                                               item.text));
        }
    }
    for (auto& item : table.texts("hosts")) {
        if (item.text.find_first_of(" /:@") != std::string::npos) {
            table.error(item.at, fmt::format("hosts holds host names without a port, got {}",
                                             in_quotes(item.text)));
        }
        admin.hosts.push_back(std::move(item.text));
    }
    admin.token_file = table.path("token_file");
    std::error_code ignored;
    if (admin.token_file && !std::filesystem::is_regular_file(*admin.token_file, ignored)) {
        table.warning(table.at("token_file"),
                      "there is no such file: " + admin.token_file->string() +
                          "; without it nothing can be changed over TCP");
    }
    table.finish();
}

}  // namespace steerd::config
