// [endpoints]: what is handed out, where it stands and how it is checked.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/draft.h"

namespace steerd::config {

namespace {

/// Why an address cannot be an answer for clients, or nothing.
std::optional<std::string_view> address_fault(const base::IpAddress& address) {
    const auto octets = address.octets();
    const bool zero = std::all_of(octets.begin(), octets.end(), [](auto o) { return o == 0; });
    if (zero) {
        return "is the unspecified address";
    }
    if (address.is_v4() && octets[0] >= 224 && octets[0] < 240) {
        return "is a multicast address";
    }
    if (address.is_v4() && address.v4_value() == 0xFFFFFFFFU) {
        return "is the broadcast address";
    }
    if (!address.is_v4() && octets[0] == 0xFF) {
        return "is a multicast address";
    }
    if (!address.is_v4() && base::normalised(base::IpPrefix(address, 128)).offset == 96) {
        return "is an IPv4 address written as IPv6 (of the wrong family); write it as IPv4";
    }
    return std::nullopt;
}

// A decision has room for so many.
constexpr std::size_t kMostAddresses = 64;

void read_addresses(TomlTable& table, EndpointConfig& endpoint) {
    const auto* node = table.array("addresses");
    if (node != nullptr && node->items.empty()) {
        table.error("addresses", "addresses is empty");
    } else if (node != nullptr && node->items.size() > kMostAddresses) {
        table.error("addresses", fmt::format("{} addresses; one endpoint has at most {}",
                                             node->items.size(), kMostAddresses));
    }
    std::set<base::IpAddress> seen;
    for (const auto& item : table.texts("addresses")) {
        const auto address = base::IpAddress::parse(item.text);
        if (!address) {
            table.error(item.at, fmt::format("{} is not an IP address (without a port or a length)",
                                             in_quotes(item.text)));
            continue;
        }
        if (const auto fault = address_fault(*address)) {
            table.error(item.at, fmt::format("{} {}", in_quotes(item.text), *fault));
            continue;
        }
        if (!seen.insert(*address).second) {
            table.error(item.at, fmt::format("address {} is given twice", address->text()));
            continue;
        }
        endpoint.addresses.push_back(*address);
    }
}

void read_target(TomlTable& table, EndpointConfig& endpoint) {
    const bool addresses = table.has("addresses");
    const bool cname = table.has("cname");
    if (addresses && cname) {
        table.error("cname", "both addresses and cname given; an endpoint is one or the other");
    } else if (!addresses && !cname) {
        table.error(table.at(), "neither addresses nor cname given");
    }
    read_addresses(table, endpoint);
    const auto text = table.text("cname");
    if (!text) {
        return;
    }
    const auto name = dns::Name::parse(*text);
    if (!name) {
        table.error("cname",
                    fmt::format("cname {} is no domain name: {}", in_quotes(*text), name.error()));
    } else if (name->is_root()) {
        table.error("cname", "cname must not be the root");
    } else {
        endpoint.cname = *name;
    }
}

void read_probes(TomlTable& table, const NameIndex& probes, EndpointConfig& endpoint) {
    const auto* node = table.array("probes");
    std::set<ProbeId> seen;
    for (const auto& item : table.texts("probes")) {
        const auto found = resolve(table, probes, "probe", item);
        if (!found) {
            continue;
        }
        if (!seen.insert(ProbeId{*found}).second) {
            table.error(item.at, fmt::format("probe {} is given twice", in_quotes(item.text)));
            continue;
        }
        endpoint.probes.push_back(ProbeId{*found});
    }
    const auto written = node == nullptr ? std::size_t{0} : node->items.size();
    if (written == 0) {
        table.reject("require", "needs probes");
        if (!table.has("probes") || node != nullptr) {
            table.warning(table.at(), "no probes: never found down");
        }
        return;
    }
    const auto most = static_cast<std::int64_t>(written);
    endpoint.require = static_cast<std::uint32_t>(table.integer("require", {1, most}).value_or(0));
}

void read_endpoint(Draft& draft, TomlTable& table, EndpointConfig& endpoint) {
    if (const auto region = table.text("region")) {
        const auto id = resolve(table, draft.regions, "region", {*region, table.at("region")});
        endpoint.region = id ? std::optional(RegionId{*id}) : std::nullopt;
    }
    read_target(table, endpoint);
    read_probes(table, draft.probes, endpoint);
    endpoint.capacity = table.number("capacity");
    if (endpoint.capacity && *endpoint.capacity <= 0) {
        table.error("capacity", fmt::format("capacity must be more than 0 requests/s, got {}",
                                            *endpoint.capacity));
    }
    table.finish();
}

}  // namespace

void load_endpoints(Draft& draft, TomlTable& root) {
    for (const auto* entry : section(draft, root, "endpoints")) {
        EndpointConfig endpoint;
        endpoint.name = entry->key;
        endpoint.at = draft.source.at(entry->value);
        if (entry->value.kind == TomlNode::Kind::Table) {
            TomlTable table(entry->value, "endpoint " + in_quotes(entry->key), draft.source,
                            draft.problems);
            read_endpoint(draft, table, endpoint);
        }
        draft.says_region.push_back(entry->value.find("region") != nullptr);
        draft.model->endpoints.push_back(std::move(endpoint));
    }
}

}  // namespace steerd::config
