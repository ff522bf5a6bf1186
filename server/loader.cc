#include "server/loader.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <functional>
#include <unordered_map>
#include <utility>

#include "config/load.h"
#include "policy/compile.h"
#include "zones/load.h"

namespace steerd::server {

namespace {

geo::Network to_network(const config::NetworkConfig& row) {
    geo::Network out;
    out.prefix = row.prefix;
    out.at = row.at;
    out.facts.location = row.location;
    out.facts.asn = row.asn;
    if (row.country) {
        out.facts.country = geo::CountryCode::from(*row.country);
    }
    if (row.continent) {
        out.facts.continent = geo::ContinentCode::from(*row.continent);
    }
    if (row.subdivision) {
        out.facts.subdivision = geo::SubdivisionCode::from(*row.subdivision);
    }
    return out;
}

geo::GeoSpec geo_spec(const config::Model& model, const LoadOptions& options) {
    geo::GeoSpec spec;
    spec.databases = model.geo.databases;
    spec.latency = model.geo.latency;
    spec.country_table = model.geo.country_table;
    for (const auto& row : model.geo.networks) {
        spec.networks.push_back(to_network(row));
    }
    for (const auto& region : model.regions) {
        spec.regions.push_back(
            {region.name, region.location,
             region.country ? geo::CountryCode::from(*region.country) : std::nullopt});
    }
    spec.node_location = model.server.location;
    if (!spec.node_location && model.server.region) {
        spec.node_location = model.regions[config::index(*model.server.region)].location;
    }
    if (options.use_state_dir) {
        spec.state_dir = model.server.state_dir;
    }
    spec.keep_copies = options.use_state_dir;
    return spec;
}

/// Tells one content of a file from another without reading it.
std::string file_identity(const std::filesystem::path& file) {
    struct stat s {};

    if (::stat(file.c_str(), &s) != 0) {
        return fmt::format("{}:absent;", file.string());
    }
    return fmt::format("{}:{}:{}:{}.{};", file.string(), s.st_ino, s.st_size, s.st_mtim.tv_sec,
                       s.st_mtim.tv_nsec);
}

std::string location_text(const std::optional<geo::Location>& location) {
    return location ? fmt::format("{},{}", location->latitude, location->longitude) : "-";
}

template <typename T>
std::string code_text(const std::optional<T>& code) {
    return code ? std::string(code->view()) : "-";
}

std::string key_of(const geo::GeoSpec& spec) {
    std::string key;
    for (const auto& file : spec.databases) {
        key += file_identity(file);
    }
    if (spec.latency) {
        key += "latency " + file_identity(*spec.latency);
    }
    key +=
        file_identity(spec.country_table / "geoip") + file_identity(spec.country_table / "geoip6");
    for (const auto& row : spec.networks) {
        key +=
            fmt::format("{} {} {} {} {} {};", row.prefix.text(), location_text(row.facts.location),
                        code_text(row.facts.country), code_text(row.facts.continent),
                        code_text(row.facts.subdivision), row.facts.asn.value_or(0));
    }
    for (const auto& region : spec.regions) {
        key += fmt::format("{} {} {};", region.name, location_text(region.location),
                           code_text(region.country));
    }
    return key + location_text(spec.node_location);
}

/// Whether a CNAME member stands anywhere under a route.
bool may_be_cname(const config::Model& model, config::RouteId route) {
    const auto endpoints = config::endpoints_under(model, route);
    return std::any_of(endpoints.begin(), endpoints.end(),
                       [&](auto id) { return model.endpoint(id).cname.has_value(); });
}

policy::ZoneInput load_zone(const config::Model& model, const config::ZoneConfig& zone,
                            base::Problems& problems) {
    policy::ZoneInput out;
    out.config = std::make_shared<config::ZoneConfig>(zone);
    if (zone.steer_problems.has_errors()) {
        return out;  // config::load reported them already
    }
    std::vector<zones::SteeredOwner> owners;
    for (std::uint32_t i = 0; i < zone.steer.size(); ++i) {
        const auto& steer = zone.steer[i];
        owners.push_back({steer.owner, steer.at, may_be_cname(model, steer.route), i});
    }
    out.zone = zones::load_zone(zone.apex, zone.file.string(), owners, problems);
    return out;
}

/// The copy that is served now, with its steer table's routes found by name in the new model.
/// nullopt when one of them is gone: then nothing may be swapped (product.md §2).
std::optional<policy::ZoneInput> last_good(const policy::Plan& previous, const config::Model& model,
                                           const config::ZoneConfig& wanted,
                                           base::Problems& problems) {
    const auto& slots = previous.zone_set.slots();
    for (std::size_t i = 0; i < slots.size(); ++i) {
        if (slots[i].apex != wanted.apex || slots[i].zone == nullptr) {
            continue;
        }
        auto table = std::make_shared<config::ZoneConfig>(*previous.zones[i].config);
        for (auto& steer : table->steer) {
            const auto& name = previous.model->route(steer.route).name;
            const auto found =
                std::find_if(model.routes.begin(), model.routes.end(),
                             [&](const config::RouteConfig& route) { return route.name == name; });
            if (found == model.routes.end()) {
                problems.error(wanted.at,
                               "zone " + wanted.apex.to_text() +
                                   " would keep its last good copy, but that needs route \"" +
                                   name + "\", which is gone; nothing was changed");
                return std::nullopt;
            }
            steer.route = static_cast<config::RouteId>(found - model.routes.begin());
        }
        return policy::ZoneInput{table, slots[i].zone};
    }
    return policy::ZoneInput{std::make_shared<config::ZoneConfig>(wanted), nullptr};
}

}  // namespace

LoadedPlan load_plan(const std::filesystem::path& file, const LoadOptions& options) {
    LoadedPlan out;
    auto loaded = config::load(file);
    out.problems = std::move(loaded.problems);
    out.model = loaded.model;
    if (out.model == nullptr) {
        return out;
    }
    const auto& model = *out.model;
    base::Problems geo_problems;
    const auto spec = geo_spec(model, options);
    out.geo_key = key_of(spec);
    geo::LoadedWorld geo;
    if (options.previous != nullptr && options.previous_geo_key == out.geo_key) {
        geo.world = options.previous->world;
    } else {
        geo = geo::load_world(spec, geo_problems);
    }
    out.geo_sources = std::move(geo.sources);
    out.notes = std::move(geo.notes);
    out.problems.append(geo_problems);
    bool refused = geo_problems.has_errors();
    // "Configuration, routes and geo data are swapped in whole or stay as they were": a bad geo
    // file refuses a reload, while a start goes on with what load_world found in its place.
    if (refused) {
        out.geo_key.clear();  // what is used in a bad file's place is not what the key says
    }
    bool stop = refused && (options.previous != nullptr || options.strict);

    policy::PlanInput input;
    input.model = out.model;
    input.world = geo.world;
    input.previous = options.previous;
    for (const auto& zone : model.zones) {
        auto entry = load_zone(model, zone, out.problems);
        if (entry.zone == nullptr) {
            refused = true;
            stop = stop || options.strict;
            if (options.previous != nullptr) {
                auto kept = last_good(*options.previous, model, zone, out.problems);
                stop = stop || !kept;
                entry = kept ? std::move(*kept) : std::move(entry);
            }
        }
        input.zones.push_back(std::move(entry));
    }
    out.partly_refused = refused;
    if (!stop) {
        out.plan = policy::compile(input, out.problems);
    }
    return out;
}

}  // namespace steerd::server
