// [geo] and [regions]: where clients and we are.
#include <fmt/format.h>

#include <limits>
#include <map>

#include "config/draft.h"
#include "config/words.h"

namespace steerd::config {

namespace {

/// A code that `parse` knows, in upper case.
template <typename Parse>
std::optional<std::string> read_code(TomlTable& table, std::string_view key,
                                     std::string_view expected, Parse parse) {
    const auto text = table.text(key);
    if (!text) {
        return std::nullopt;
    }
    auto code = parse(*text);
    if (!code) {
        table.error(key, fmt::format("{} must be {}, got {}", key, expected, in_quotes(*text)));
    }
    return code;
}

std::optional<std::string> read_country(TomlTable& table) {
    return read_code(table, "country", "two letters like \"JP\"", parse_country);
}

/// 64500 or "AS64500".
std::optional<std::uint32_t> read_asn(TomlTable& table) {
    const auto* node = table.any("asn");
    if (node == nullptr) {
        return std::nullopt;
    }
    if (node->kind == TomlNode::Kind::String) {
        const auto asn = parse_asn(node->text);
        if (!asn) {
            table.wrong("asn", *node, "a number like 64500 or \"AS64500\"");
        }
        return asn;
    }
    const auto asn = table.integer("asn", {1, std::numeric_limits<std::uint32_t>::max()});
    return asn ? std::optional(static_cast<std::uint32_t>(*asn)) : std::nullopt;
}

bool read_prefix(TomlTable& table, NetworkConfig& network) {
    if (!table.has("prefix")) {
        table.error(table.at(), "prefix is missing");
        return false;
    }
    const auto text = table.text("prefix");
    if (!text) {
        return false;
    }
    const auto prefix = base::IpPrefix::parse(*text);
    if (!prefix) {
        const auto better = prefix_without_host_bits(*text);
        table.error(
            "prefix",
            better ? fmt::format("prefix {} has bits behind its length; did you mean {}?",
                                 in_quotes(*text), in_quotes(better->text()))
                   : fmt::format("prefix must be like \"10.1.0.0/16\", got {}", in_quotes(*text)));
        return false;
    }
    network.prefix = *prefix;
    return true;
}

void load_networks(Draft& draft, const TomlNode& list) {
    std::map<base::IpPrefix, std::uint32_t> lines;
    for (const auto& item : list.items) {
        if (item.kind != TomlNode::Kind::Table) {
            draft.problems.error(draft.source.at(item),
                                 "geo.networks must hold tables only, got " + describe(item));
            continue;
        }
        TomlTable table(item, "geo.networks", draft.source, draft.problems);
        NetworkConfig network;
        network.at = table.at();
        if (read_prefix(table, network)) {
            const auto key = base::normalised(network.prefix).prefix;
            const auto [first, added] = lines.emplace(key, item.line);
            if (!added) {
                table.error("prefix", fmt::format("prefix {} stands at line {} already",
                                                  network.prefix.text(), first->second));
            }
        }
        network.location = read_location(table, "location");
        network.country = read_country(table);
        network.continent =
            read_code(table, "continent", "AF, AN, AS, EU, NA, OC or SA", parse_continent);
        network.subdivision =
            read_code(table, "subdivision", "an ISO 3166-2 code like \"US-CA\"", parse_subdivision);
        network.asn = read_asn(table);
        if (!table.has("location") && !table.has("country") && !table.has("continent") &&
            !table.has("subdivision") && !table.has("asn")) {
            table.error(table.at(),
                        "says nothing; add location, country, continent, subdivision or asn");
        }
        table.finish();
        draft.model->geo.networks.push_back(std::move(network));
    }
}

/// A name in state_dir, where the server may write (beside the configuration it often may not), and
/// where a copy of the configuration that runs elsewhere writes another file.
void read_learn(Draft& draft, TomlTable& root, TomlTable& table) {
    const auto name = table.text("learn");
    if (!name) {
        return;
    }
    constexpr std::string_view kEnd = ".csv";
    if (name->size() <= kEnd.size() || name->find('/') != std::string::npos ||
        name->substr(name->size() - kEnd.size()) != kEnd || name->size() > 200) {
        table.error("learn", fmt::format("learn must be the name of a file in state_dir like "
                                         "\"learned.csv\", got {}",
                                         in_quotes(*name)));
    }
    const auto* server = root.table("server");
    const auto says = [&](std::string_view key) {
        return server != nullptr && server->find(key) != nullptr;
    };
    for (const char* key : {"state_dir", "region"}) {
        if (!says(key)) {
            table.error("learn", fmt::format("learn needs {} in [server]", key));
        }
    }
    if (draft.model->server.region) {
        const auto& region = draft.regions.names()[index(*draft.model->server.region)];
        // Blanks at the ends are not read back as part of a field.
        const auto first = region.find_first_not_of(' ');
        if (region.find_first_of(",\"") != std::string::npos || first != 0 ||
            region.find_last_not_of(' ') + 1 != region.size()) {
            table.error("learn", fmt::format("learn writes CSV, in which region {} cannot be named",
                                             in_quotes(region)));
        }
    }
    draft.model->geo.learn = *name;
}

}  // namespace

void load_geo(Draft& draft, TomlTable& root) {
    auto& geo = draft.model->geo;
    geo.country_table_at = {draft.source.file, 1, 1};
    const auto* node = root.table("geo");
    if (node == nullptr) {
        return;
    }
    TomlTable table(*node, "geo", draft.source, draft.problems);
    for (const auto& item : table.texts("databases")) {
        geo.databases.push_back(draft.source.folder / item.text);
        geo.databases_at.push_back(item.at);
    }
    geo.latency = table.path("latency");
    geo.latency_at = table.at("latency");
    if (const auto samples = table.integer("latency_min_samples", {1, 1'000'000})) {
        geo.latency_min_samples = static_cast<std::uint32_t>(*samples);
    }
    geo.latency_max_age =
        table.duration("latency_max_age", std::chrono::hours(24)).value_or(geo.latency_max_age);
    geo.country_table = table.path("country_table").value_or(geo.country_table);
    geo.country_table_at = table.at("country_table");
    read_learn(draft, root, table);
    if (const auto* networks = table.array("networks")) {
        load_networks(draft, *networks);
    }
    table.finish();
}

void load_regions(Draft& draft, TomlTable& root) {
    for (const auto* entry : section(draft, root, "regions")) {
        RegionConfig region;
        region.name = entry->key;
        region.at = draft.source.at(entry->value);
        if (entry->value.kind == TomlNode::Kind::Table) {
            TomlTable table(entry->value, "region " + in_quotes(entry->key), draft.source,
                            draft.problems);
            if (!table.has("location")) {
                table.error(table.at(),
                            "location is missing; add location = [latitude, longitude]");
            }
            region.location = read_location(table, "location").value_or(geo::Location{});
            region.country = read_country(table);
            table.finish();
        }
        draft.model->regions.push_back(std::move(region));
    }
}

}  // namespace steerd::config
