#include "server/loader.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <exception>
#include <functional>
#include <new>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "config/load.h"
#include "policy/compile.h"
#include "server/cookie_secrets.h"
#include "server/process.h"
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
    spec.latency_limits = {
        model.geo.latency_min_samples,
        std::chrono::duration<double, std::ratio<86400>>(model.geo.latency_max_age).count()};
    spec.country_table = model.geo.country_table;
    for (const auto& row : model.geo.networks) {
        spec.networks.push_back(to_network(row));
    }
    for (const auto& row : options.more_networks) {
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
        key += fmt::format("latency {} {} {}", file_identity(*spec.latency),
                           spec.latency_limits.min_samples, spec.latency_limits.max_age_days);
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

policy::ZoneInput load_zone(const std::shared_ptr<const config::Model>& model,
                            const config::ZoneConfig& zone, base::Problems& problems) {
    policy::ZoneInput out;
    out.config = {model, &zone};  // lives as long as its model
    if (zone.steer_problems.has_errors()) {
        // config::load reported them already; the file may have problems of its own.
        if (!zone.file.empty()) {
            (void)zones::load_zone(zone.apex, zone.file.string(), {}, problems);
        }
        return out;
    }
    std::vector<zones::SteeredOwner> owners;
    for (std::uint32_t i = 0; i < zone.steer.size(); ++i) {
        const auto& steer = zone.steer[i];
        owners.push_back({steer.owner, steer.at, may_be_cname(*model, steer.route), i});
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
        std::string missing;
        auto table =
            policy::remapped_steer(*previous.zones[i].config, *previous.model, model, missing);
        if (table == nullptr) {
            problems.error(wanted.at,
                           "zone " + wanted.apex.to_text() +
                               " would keep its last good copy, but that needs route \"" + missing +
                               "\", which is gone; nothing was changed");
            return std::nullopt;
        }
        return policy::ZoneInput{table, slots[i].zone};
    }
    return policy::ZoneInput{std::make_shared<config::ZoneConfig>(wanted), nullptr};
}

/// The name of this node's region, or empty.
std::string region_name(const config::Model& model) {
    return model.server.region ? model.regions[config::index(*model.server.region)].name : "";
}

/// The new configuration with the [server] and [admin] that are in force (product.md "Reload").
std::shared_ptr<const config::Model> with_running_server(const config::Model& wanted,
                                                         const config::Model& running,
                                                         std::vector<std::string>& waiting) {
    auto out = std::make_shared<config::Model>(wanted);
    out->server = running.server;
    out->admin = running.admin;
    out->server.region.reset();
    const auto region = region_name(running);
    for (std::size_t i = 0; i < out->regions.size() && !region.empty(); ++i) {
        if (out->regions[i].name == region) {
            out->server.region = static_cast<config::RegionId>(i);
        }
    }
    if (!region.empty() && !out->server.region && !out->server.location) {
        out->server.location = running.regions[config::index(*running.server.region)].location;
    }
    auto before = running.server;
    auto after = wanted.server;
    before.region.reset();
    after.region.reset();
    if (before != after || region != region_name(wanted)) {
        waiting.emplace_back("[server]");
    }
    if (running.admin != wanted.admin) {
        waiting.emplace_back("[admin]");
    }
    return out;
}

/// check goes on to the files although the configuration has errors: all problems come at once.
void check_files(const config::Model& readable, const LoadOptions& options,
                 base::Problems& problems) {
    (void)geo::load_world(geo_spec(readable, options), problems);
    for (const auto& zone : readable.zones) {
        if (!zone.file.empty()) {
            (void)zones::load_zone(zone.apex, zone.file.string(), {}, problems);
        }
    }
}

/// Whether an error stands at one of the zone's steer entries.
bool names_a_steer_entry(const base::Problems& problems, const config::ZoneConfig& zone) {
    return std::any_of(zone.steer.begin(), zone.steer.end(), [&](const auto& steer) {
        return std::any_of(problems.all().begin(), problems.all().end(), [&](const auto& problem) {
            return problem.severity == base::Severity::Error && problem.at == steer.at;
        });
    });
}

/// Those of the file, read anew by each load, so that a reload exchanges them; without one those
/// that were made at start. nullopt: the file is bad.
std::optional<dns::CookieSecrets> load_cookie_secrets(const config::Model& model,
                                                      const LoadOptions& options,
                                                      base::Problems& problems) {
    if (model.server.cookie_secrets) {
        return read_cookie_secrets(*model.server.cookie_secrets, problems);
    }
    return options.previous != nullptr ? options.previous->cookies : random_cookie_secrets();
}

struct World {
    std::shared_ptr<const geo::World> world;
    bool refused = false;
};

/// The world of the previous plan where nothing about it changed, else a new one.
World load_geo(const config::Model& model, const LoadOptions& options, LoadedPlan& out) {
    const auto spec = geo_spec(model, options);
    out.geo_key = key_of(spec);
    if (options.previous != nullptr && options.previous_geo_key == out.geo_key) {
        return {options.previous->world, false};
    }
    base::Problems problems;
    auto loaded = geo::load_world(spec, problems);
    out.geo_sources = std::move(loaded.sources);
    out.notes = std::move(loaded.notes);
    out.problems.append(problems);
    return {std::move(loaded.world), problems.has_errors()};
}

LoadedPlan load_all(const std::filesystem::path& file, const LoadOptions& options) {
    LoadedPlan out;
    auto loaded = config::load(file);
    out.problems = std::move(loaded.problems);
    out.model = loaded.model;
    if (out.model == nullptr) {
        if (options.strict && loaded.readable != nullptr) {
            check_files(*loaded.readable, options, out.problems);
        }
        return out;
    }
    if (options.running != nullptr) {
        out.model = with_running_server(*out.model, *options.running, out.wait_for_restart);
    }
    const auto& model = *out.model;
    if (options.on_config) {
        options.on_config(model);
    }
    const auto geo = load_geo(model, options, out);
    bool refused = geo.refused;
    // "Configuration, routes and geo data are swapped in whole or stay as they were": a bad geo
    // file refuses a reload, while a start goes on with what load_world found in its place.
    bool stop = refused && (options.previous != nullptr || options.strict);
    const auto cookies = load_cookie_secrets(model, options, out.problems);
    stop = stop || !cookies;

    policy::PlanInput input;
    input.cookies = cookies.value_or(dns::CookieSecrets{});
    input.model = out.model;
    input.world = geo.world;
    input.previous = options.previous;
    input.hash_seed = random_seed();
    const auto make_bad = [&](const config::ZoneConfig& zone, policy::ZoneInput& entry) {
        refused = true;
        stop = stop || options.strict;
        entry.zone = nullptr;
        if (options.previous != nullptr) {
            auto kept = last_good(*options.previous, model, zone, out.problems);
            stop = stop || !kept;
            entry = kept ? std::move(*kept) : std::move(entry);
        }
    };
    for (const auto& zone : model.zones) {
        auto& entry = input.zones.emplace_back(load_zone(out.model, zone, out.problems));
        if (entry.zone == nullptr) {
            make_bad(zone, entry);
        }
    }
    if (!stop) {
        base::Problems found;
        out.plan = policy::compile(input, found);
        if (out.plan == nullptr) {
            // A CNAME that leads back to itself through zone data makes the zones bad whose steer
            // tables it goes through; the others go on.
            for (std::size_t i = 0; i < input.zones.size(); ++i) {
                if (names_a_steer_entry(found, model.zones[i])) {
                    make_bad(model.zones[i], input.zones[i]);
                }
            }
            base::Problems again;
            out.plan = stop ? nullptr : policy::compile(input, again);
        }
        out.problems.append(found);
    }
    out.partly_refused = refused;
    return out;
}

/// What was read so far is gone by now, so that there is room to say it.
LoadedPlan failed(const std::filesystem::path& file, std::string_view why) {
    LoadedPlan out;
    out.problems.error(
        {}, fmt::format("{} and what it names cannot be loaded: {}", file.string(), why));
    return out;
}

}  // namespace

LoadedPlan load_plan(const std::filesystem::path& file, const LoadOptions& options) {
    try {
        return load_all(file, options);
    } catch (const std::bad_alloc&) {
        return failed(file,
                      "no memory is left (a zone or geo file that is too large, or a limit of "
                      "this process: MemoryMax, ulimit -v)");
    } catch (const std::exception& error) {
        return failed(file, error.what());
    }
}

}  // namespace steerd::server
