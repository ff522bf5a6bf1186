// Where a round trip comes from: a measured row, else the model from coordinates, the country or
// the node, else nothing.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "geo/estimator.h"
#include "geo/rtt_model.h"
#include "geo/world_builder.h"
#include "tests/geo/helpers.h"
#include "tests/geo/naive_world.h"

namespace steerd::geo {
namespace {

using testing::in_country;
using testing::net;
using testing::three_names;
using testing::three_regions;

TEST(Estimate, RowElseModelElseCountryElseNodeElseNone) {
    base::Problems problems;
    Facts located = in_country("US");
    located.location = Location{35.68, 139.69};
    WorldInput input;
    input.regions = three_regions();
    input.regions.push_back({"brazil", {}, parse_country("BR")});
    input.regions.push_back({"nowhere", {}, {}});
    input.node = Location{50.11, 8.68};
    input.networks = prepare_networks(
        {{net("10.1.0.0/16"), located, {}}, {net("10.2.0.0/16"), in_country("JP"), {}}}, problems);
    input.latency = LatencyTable::parse("client,region,rtt_ms,samples\n10.1.0.0/16,virginia,7,3\n",
                                        "latency.csv", three_names(), problems);
    const auto world = build_world(input.node ? std::move(input) : WorldInput{});
    const PlaceId measured = world->locate(net("10.1.2.0/24"));
    const Estimate row = world->estimate(measured, 2);
    EXPECT_EQ(row.source, Estimate::Source::Row);
    EXPECT_EQ(row.rtt_ms, 7);
    EXPECT_EQ(row.samples, 3U);
    const Estimate model = world->estimate(measured, 0);
    EXPECT_EQ(model.source, Estimate::Source::Model);
    EXPECT_EQ(model.basis, Estimate::Basis::Location);
    EXPECT_LT(model.rtt_ms, 5);
    const Estimate country = world->estimate(world->locate(net("10.2.0.0/24")), 0);
    EXPECT_EQ(country.basis, Estimate::Basis::Country);
    EXPECT_LT(country.rtt_ms, 5);
    const Estimate node = world->estimate(PlaceId{0}, 1);
    EXPECT_EQ(node.basis, Estimate::Basis::Node);
    EXPECT_LT(node.rtt_ms, 5);
    EXPECT_EQ(world->estimate(PlaceId{0}, 3).source, Estimate::Source::Model);
    EXPECT_NEAR(world->estimate(measured, 3).rtt_ms,
                estimate_rtt_ms({35.68, 139.69}, *representative_location(*parse_country("BR"))),
                1e-9);
    EXPECT_FALSE(world->estimate(measured, 4).known());
}

TEST(Estimate, ThinRowsGiveWayToTheModelAndAreTold) {
    base::Problems problems;
    Facts located;
    located.location = Location{35.68, 139.69};
    WorldInput input;
    input.regions = three_regions();
    input.regions.push_back({"nowhere", {}, {}});
    std::vector<std::string> names = three_names();
    names.push_back("nowhere");
    input.networks = prepare_networks({{net("10.1.0.0/16"), located, {}}}, problems);
    input.latency = LatencyTable::parse(
        "client,region,rtt_ms,samples\n10.1.0.0/16,virginia,7,2\n10.1.0.0/16,nowhere,9,1\n"
        "10.1.0.0/16,tokyo,3,50\n",
        "latency.csv", names, problems);
    const auto world = build_world(std::move(input));
    const PlaceId place = world->locate(net("10.1.2.0/24"));
    const auto at = [&](std::string_view name) { return *world->region_index(name); };
    EXPECT_EQ(world->estimate(place, at("virginia")).source, Estimate::Source::Model);
    EXPECT_EQ(world->set_aside(place, at("virginia"))->row.rtt_ms, 7);
    EXPECT_EQ(world->estimate(place, at("tokyo")).rtt_ms, 3);
    EXPECT_FALSE(world->set_aside(place, at("tokyo")));
    // The model has nothing to say of a region without coordinates: better thin than nothing.
    EXPECT_EQ(world->estimate(place, at("nowhere")).rtt_ms, 9);
    EXPECT_FALSE(world->set_aside(place, at("nowhere")));
}

TEST(Estimator, SaysWhatTheWorldSays) {
    base::Problems problems;
    WorldInput input;
    input.regions = three_regions();
    input.node = Location{50.11, 8.68};
    Facts located;
    std::vector<Network> networks;
    for (int i = 0; i < 50; ++i) {
        located.location = Location{i % 7 * 20.0 - 60, i % 5 * 60.0 - 120};
        networks.push_back({net("10." + std::to_string(i) + ".0.0/16"), located, {}});
    }
    input.networks = prepare_networks(std::move(networks), problems);
    input.latency = LatencyTable::parse("client,region,rtt_ms\n10.3.0.0/16,virginia,7\n",
                                        "latency.csv", three_names(), problems);
    const auto world = build_world(std::move(input));
    Estimator estimator(*world);
    std::vector<double> row(world->regions().size());
    for (std::uint32_t place = 0; place < world->place_count(); ++place) {
        estimator.estimate(PlaceId{place}, row);
        for (std::size_t region = 0; region < row.size(); ++region) {
            const Estimate expected = world->estimate(PlaceId{place}, region);
            EXPECT_EQ(row[region], expected.rtt_ms) << place << " " << region;
        }
    }
}

TEST(Estimate, UnknownPlaceWithoutNodeLocationHasNone) {
    const World world(three_regions(), std::nullopt);
    for (std::size_t region = 0; region < 3; ++region) {
        EXPECT_FALSE(world.estimate(world.locate(net("192.0.2.0/24")), region).known());
        EXPECT_FALSE(world.estimate(world.locate(net("2001:db8::/48")), region).known());
    }
    EXPECT_EQ(world.place_count(), 1U);
    EXPECT_EQ(world.region_index("virginia"), 2U);
    EXPECT_FALSE(world.region_index("osaka"));
}

}  // namespace
}  // namespace steerd::geo
