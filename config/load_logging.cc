// See load_logging.h. Thread rule: one thread.
#include "config/load_logging.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/check.h"

namespace steerd::config {

namespace {

/// Each rule for a name is looked at for each query that the log might take.
constexpr std::size_t kMaxRules = 64;
constexpr std::int64_t kMaxOneIn = 1'000'000'000;
constexpr std::size_t kLongestUnixPath = 107;  // sun_path of Linux, without its final zero
constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kFile = "file:";

std::optional<dns::Name> read_name(TomlTable& table, std::string_view key) {
    const auto text = table.text(key);
    if (!text) {
        return std::nullopt;
    }
    auto name = dns::Name::parse(*text);
    if (!name) {
        table.error(key, fmt::format("{} is no domain name: {}", in_quotes(*text), name.error()));
        return std::nullopt;
    }
    return std::move(*name);
}

void read_rule(Draft& draft, const TomlTable& server, const TomlNode& node) {
    auto& rules = draft.model->server.query_log;
    if (node.kind != TomlNode::Kind::Table) {
        server.wrong("query_log", node, "a list of tables like { one_in = 1000 }");
        return;
    }
    TomlTable table(node, "query_log", server.source(), server.problems());
    QueryLogRule rule;
    if (!table.has("one_in")) {
        table.error(table.at(), "one_in is missing; one_in = 1000 logs one in 1,000 queries");
    }
    rule.one_in = static_cast<std::uint32_t>(table.integer("one_in", {1, kMaxOneIn}).value_or(1));
    rule.name = read_name(table, "name");
    rule.zone = read_name(table, "zone");
    if (rule.name && rule.zone) {
        table.error("zone", "a rule is for a name, a zone, or all: name is there too");
    }
    const auto same = [&](const QueryLogRule& other) {
        return other.name == rule.name && other.zone == rule.zone;
    };
    if (std::ranges::any_of(rules, same)) {
        table.error(table.at(), "a rule for the same queries stands above");
    }
    table.finish();
    draft.query_log_zones.push_back(table.at("zone"));
    rules.push_back(std::move(rule));
}

}  // namespace

void read_query_log(Draft& draft, TomlTable& table) {
    const auto* list = table.array("query_log");
    if (list == nullptr) {
        return;
    }
    if (list->items.size() > kMaxRules) {
        table.error("query_log", fmt::format("query_log has at most {} rules", kMaxRules));
        return;
    }
    for (const auto& item : list->items) {
        read_rule(draft, table, item);
    }
}

void check_query_log(Draft& draft) {
    const auto& zones = draft.model->zones;
    const auto& rules = draft.model->server.query_log;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const auto& wanted = rules[i].zone;
        if (!wanted || std::ranges::count(zones, *wanted, &ZoneConfig::apex) > 0) {
            continue;
        }
        std::vector<std::string> names;
        names.reserve(zones.size());
        for (const auto& zone : zones) {
            names.push_back(zone.apex.to_text());
        }
        const auto text = wanted->to_text();
        draft.problems.error(draft.query_log_zones[i],
                             fmt::format("no zone {}{} (query_log)", in_quotes(text),
                                         did_you_mean(draft.source, text, names)));
    }
}

void read_dnstap(TomlTable& table, ServerConfig& server) {
    const auto text = table.text("dnstap");
    if (!text) {
        return;
    }
    const bool socket = text->starts_with(kUnix);
    const std::string_view scheme = socket ? kUnix : kFile;
    if (!text->starts_with(scheme) || text->size() == scheme.size()) {
        table.error("dnstap", fmt::format("dnstap must be \"unix:PATH\" or \"file:PATH\", got {}",
                                          in_quotes(*text)));
        return;
    }
    DnstapConfig dnstap;
    dnstap.path = table.source().folder / text->substr(scheme.size());
    dnstap.socket = socket;
    if (socket && dnstap.path.string().size() > kLongestUnixPath) {
        table.error("dnstap", fmt::format("the path of a Unix socket has at most {} octets",
                                          kLongestUnixPath));
        return;
    }
    server.dnstap = std::move(dnstap);
}

}  // namespace steerd::config
