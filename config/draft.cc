#include "config/draft.h"

#include <fmt/format.h>

#include <algorithm>

namespace steerd::config {

namespace {

/// Why a name cannot be used, or nothing. Names stand in URLs, in orders ("region:X") and in files.
std::optional<std::string> name_fault(std::string_view name) {
    if (name.empty()) {
        return "is empty";
    }
    const bool control = std::any_of(name.begin(), name.end(), [](char c) {
        const auto octet = static_cast<unsigned char>(c);
        return octet < 0x20 || octet == 0x7F;
    });
    if (control) {
        return "holds a control character";
    }
    if (name.size() > 100) {
        return "is longer than 100 octets";
    }
    if (name.find('/') != std::string_view::npos) {
        return "holds a \"/\"";
    }
    for (const std::string_view prefix : {"region:", "route:"}) {
        if (name.substr(0, prefix.size()) == prefix) {
            return fmt::format("begins with \"{}\", which orders use", prefix);
        }
    }
    return std::nullopt;
}

void declare(Draft& draft, NameIndex& index, std::string_view kind, const TomlNode* section) {
    if (section == nullptr) {
        return;
    }
    for (const auto& entry : section->entries) {
        if (const auto fault = name_fault(entry.key)) {
            draft.problems.error(draft.source.at(entry),
                                 fmt::format("{} name {} {}", kind, in_quotes(entry.key), *fault));
        }
        index.add(entry.key);
    }
}

}  // namespace

bool NameIndex::add(const std::string& name) {
    const auto [at, added] = numbers_.emplace(name, static_cast<std::uint32_t>(names_.size()));
    if (added) {
        names_.push_back(name);
    }
    return added;
}

std::optional<std::uint32_t> NameIndex::find(const std::string& name) const {
    const auto found = numbers_.find(name);
    return found == numbers_.end() ? std::nullopt : std::optional(found->second);
}

void declare_names(Draft& draft, TomlTable& root) {
    declare(draft, draft.regions, "region", root.table("regions"));
    declare(draft, draft.probes, "probe", root.table("probes"));
    const auto* endpoints = root.table("endpoints");
    const auto* routes = root.table("routes");
    declare(draft, draft.endpoints, "endpoint", endpoints);
    declare(draft, draft.routes, "route", routes);
    if (endpoints == nullptr || routes == nullptr) {
        return;
    }
    for (const auto& entry : routes->entries) {
        const auto endpoint = draft.endpoints.find(entry.key);
        if (!endpoint) {
            continue;
        }
        const auto& other = endpoints->entries[*endpoint];
        const bool later = std::tie(entry.line, entry.column) > std::tie(other.line, other.column);
        draft.problems.error(
            draft.source.at(later ? entry : other),
            fmt::format("an endpoint and a route are both named {}; the other stands at line {}",
                        in_quotes(entry.key), later ? other.line : entry.line));
    }
}

std::optional<geo::Location> read_location(TomlTable& table, std::string_view key) {
    const auto* node = table.array(key);
    if (node == nullptr) {
        return std::nullopt;
    }
    const auto degrees = [](const TomlNode& item) -> std::optional<double> {
        switch (item.kind) {
            case TomlNode::Kind::Integer:
                return static_cast<double>(item.integer);
            case TomlNode::Kind::Float:
                return item.real;
            default:
                return std::nullopt;
        }
    };
    const auto latitude = node->items.size() == 2 ? degrees(node->items[0]) : std::nullopt;
    const auto longitude = node->items.size() == 2 ? degrees(node->items[1]) : std::nullopt;
    if (!latitude || !longitude) {
        table.error(table.at(*node), fmt::format("{} must be [latitude, longitude] in degrees, "
                                                 "like [35.68, 139.69]",
                                                 key));
        return std::nullopt;
    }
    const geo::Location location{*latitude, *longitude};
    if (!location.valid()) {
        table.error(table.at(*node),
                    fmt::format("{} must be latitude -90..90 and longitude -180..180, got [{}, {}]",
                                key, *latitude, *longitude));
        return std::nullopt;
    }
    return location;
}

std::optional<std::uint32_t> resolve(const TomlTable& table, const NameIndex& index,
                                     std::string_view kind, const LocatedText& name) {
    const auto found = index.find(name.text);
    if (!found) {
        table.error(name.at, fmt::format("no {} {}{}", kind, in_quotes(name.text),
                                         did_you_mean(table.source(), name.text, index.names())));
    }
    return found;
}

std::vector<const TomlEntry*> section(Draft& draft, TomlTable& root, std::string_view key) {
    std::vector<const TomlEntry*> entries;
    const auto* node = root.any(key);
    if (node == nullptr || node->kind != TomlNode::Kind::Table) {
        return entries;  // a wrong type was reported where the names were declared
    }
    for (const auto& entry : node->entries) {
        if (entry.value.kind != TomlNode::Kind::Table) {
            draft.problems.error(draft.source.at(entry.value),
                                 fmt::format("{}.{} must be a table, got {}", key,
                                             in_quotes(entry.key), describe(entry.value)));
        }
        entries.push_back(&entry);
    }
    return entries;
}

}  // namespace steerd::config
