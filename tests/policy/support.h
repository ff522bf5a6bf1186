// What the tests of policy/ share: from a configuration, zone lines and a small world in text to a
// Plan, by the code that serves, without a file on disk.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/load.h"
#include "geo/world_builder.h"
#include "policy/compile.h"
#include "policy/health_state.h"
#include "policy/view.h"
#include "zones/load.h"

namespace steerd::policy::testing {

/// What the world is made of, besides [[geo.networks]] of the configuration.
struct WorldText {
    std::string latency;  // lines "client,region,rtt_ms" behind the header
    std::string geoip;    // lines "first,last,CC", addresses as decimal numbers
    std::string geoip6;   // lines "first,last,CC", addresses as IPv6 text
};

inline std::shared_ptr<const geo::World> make_world(const config::Model& model,
                                                    const WorldText& text = {}) {
    base::Problems problems;
    geo::WorldInput input;
    std::vector<std::string> names;
    for (const config::RegionConfig& region : model.regions) {
        geo::Region to{region.name, region.location, {}};
        if (region.country) {
            to.country = geo::CountryCode::from(*region.country);
        }
        names.push_back(region.name);
        input.regions.push_back(std::move(to));
    }
    input.node = model.server.location;
    std::vector<geo::Network> networks;
    for (const config::NetworkConfig& from : model.geo.networks) {
        geo::Network& to = networks.emplace_back();
        to.prefix = from.prefix;
        to.at = from.at;
        to.facts.location = from.location;
        to.facts.asn = from.asn;
        to.facts.country = geo::CountryCode::from(from.country.value_or(""));
        to.facts.continent = geo::ContinentCode::from(from.continent.value_or(""));
        to.facts.subdivision = geo::SubdivisionCode::from(from.subdivision.value_or(""));
    }
    input.networks = geo::prepare_networks(std::move(networks), problems);
    if (!text.geoip.empty() || !text.geoip6.empty()) {
        input.country_table.emplace();
        input.country_table->add(base::IpFamily::V4, text.geoip, "geoip", problems);
        input.country_table->add(base::IpFamily::V6, text.geoip6, "geoip6", problems);
    }
    if (!text.latency.empty()) {
        input.latency = geo::LatencyTable::parse("client,region,rtt_ms\n" + text.latency,
                                                 "latency.csv", names, problems);
    }
    EXPECT_FALSE(problems.has_errors()) << problems.text();
    return geo::build_world(std::move(input));
}

inline std::shared_ptr<const config::Model> make_model(std::string_view toml) {
    config::Loaded loaded = config::load_text(toml, "steerd.toml");
    EXPECT_TRUE(loaded.model) << loaded.problems.text();
    EXPECT_FALSE(loaded.problems.has_errors()) << loaded.problems.text();
    return loaded.model;
}

/// A zone of the model with SOA, NS and `lines`.
inline std::shared_ptr<const zones::Zone> make_zone(const config::Model& model,
                                                    const config::ZoneConfig& config,
                                                    std::string_view lines) {
    std::vector<zones::SteeredOwner> owners;
    for (const config::SteerConfig& steer : config.steer) {
        zones::SteeredOwner& owner = owners.emplace_back();
        owner.owner = steer.owner;
        owner.at = steer.at;
        owner.index = static_cast<std::uint32_t>(owners.size() - 1);
        for (const EndpointId id : config::endpoints_under(model, steer.route)) {
            owner.cname_possible = owner.cname_possible || model.endpoint(id).cname.has_value();
        }
    }
    base::Problems problems;
    const std::string text =
        "$TTL 3600\n@ SOA ns1.example.net. admin.example.net. 1 3600 600 86400 300\n"
        "@ NS ns1.example.net.\n" +
        std::string(lines);
    auto zone = zones::load_zone_text(config.apex, text, "zone", owners, problems);
    EXPECT_TRUE(zone) << problems.text();
    return zone;
}

/// Everything that a decision or an answer needs but health.
struct Built {
    PlanInput input;
    base::Problems problems;
    std::shared_ptr<const Plan> plan;

    [[nodiscard]] const View& view(std::size_t steered = 0) const {
        return *plan->views.at(plan->trees.at(config::index(plan->steered.at(steered).tree)).view);
    }

    void compile() { plan = policy::compile(input, problems); }
};

/// The input of a plan: all zones of the configuration, each with SOA, NS and `zone_lines`.
inline Built prepare(std::string_view toml, std::string_view zone_lines = "",
                     const WorldText& world = {}) {
    Built built;
    built.input.model = make_model(toml);
    if (built.input.model) {
        const config::Model& model = *built.input.model;
        built.input.world = make_world(model, world);
        for (const config::ZoneConfig& zone : model.zones) {
            built.input.zones.push_back({std::make_shared<const config::ZoneConfig>(zone),
                                         make_zone(model, zone, zone_lines)});
        }
    }
    return built;
}

inline Built build(std::string_view toml, std::string_view zone_lines = "",
                   const WorldText& world = {}) {
    Built built = prepare(toml, zone_lines, world);
    if (built.input.model) {
        built.compile();
    }
    if (!built.plan) {
        throw std::runtime_error("no plan: " + built.problems.text());
    }
    return built;
}

/// "192.0.2.0/24" or an address.
inline base::IpPrefix net(std::string_view text) {
    const auto prefix = base::IpPrefix::parse(text);
    EXPECT_TRUE(prefix) << text;
    return prefix.value_or(base::IpPrefix{});
}

}  // namespace steerd::policy::testing
