// The copy of a configuration that a live drill runs on: only loopback, and nothing changed that
// steers or times.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "config/load.h"
#include "drill/live_config.h"
#include "tests/drill/rehearsal.h"

namespace steerd::drill {
namespace {

using config::index;
using testing::scenario_text;

constexpr std::string_view kConfig = R"(
[server]
listen = ["192.0.2.1:53", "[2001:db8::1]:53"]
state_dir = "/var/lib/steerd"
resolver = "192.0.2.53:53"
identity = "a \"quoted\" name"
query_log = [{ one_in = 1, zone = "example.com" }]
dnstap = "file:/var/log/steerd.fstrm"
[admin]
listen = ["0.0.0.0:5380"]
token_file = "token"
[regions.tokyo]
location = [35.68, 139.69]
[regions.virginia]
location = [38.95, -77.45]
[probes.web]
type = "https"
port = 443
path = "/health"
expect_status = ["204", "300-399"]
verify = false
interval = "7s"
timeout = "1500ms"
fall = 4
[probes.script]
type = "exec"
command = ["/bin/check", "%ADDRESS%"]
[endpoints.tokyo]
region = "tokyo"
addresses = ["192.0.2.10", "2001:db8::10", "192.0.2.11"]
probes = ["web", "script"]
capacity = 5000
[endpoints.twin]
region = "virginia"
addresses = ["192.0.2.10"]
probes = ["script"]
[endpoints.sorry]
cname = "sorry.example.net."
probes = ["web"]
[routes.pair]
policy = "weighted"
members = [{ to = "tokyo", weight = 3 }, "twin"]
[routes.www]
policy = "failover"
members = ["pair", "sorry"]
failback = "5m"
[zones."example.com"]
file = "z"
[zones."example.com".steer]
"www" = { route = "www", ttl = "30s", ttl_min = "1s" }
)";

class LiveConfiguration : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string path = (std::filesystem::temp_directory_path() / "steerd-test-XXXXXX");
        ASSERT_NE(::mkdtemp(path.data()), nullptr);
        folder_ = path;
        std::ofstream(folder_ / "steerd.toml") << kConfig;
        const auto text =
            scenario_text("1m",
                          testing::event("1s", "weight", "twin", "route = \"pair\"\nweight = 9")) +
            "[[demand]]\nlocation = [1.5, 2]\nresolvers = 1\nqueries_per_second = 1\n";
        auto read = read_scenario_text(text, "s.toml");
        ASSERT_FALSE(read.problems.has_errors()) << read.problems.text();
        scenario_ = std::move(read.scenario);
        auto plan =
            std::make_shared<policy::Plan>(*policy::testing::build(std::string(kConfig)).plan);
        auto model = std::make_shared<config::Model>(*plan->model);
        model->file = folder_ / "steerd.toml";
        plan->model = model;
        base::Problems problems;
        bound_ = bind_scenario(scenario_, plan, problems);
        ASSERT_TRUE(bound_) << problems.text();
        layout_ = lay_out(scenario_, *bound_, 0x5A05, problems);
        ASSERT_FALSE(problems.has_errors()) << problems.text();
        set_ports(*bound_, {8001, 8002}, layout_);
        root_ = live_config(scenario_, *bound_, layout_, "/run/drill", {true, std::nullopt});
    }

    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::shared_ptr<const config::Model> loaded() {
        auto loaded = config::load_text(config::toml_text(root_), "/run/drill/steerd.toml");
        EXPECT_FALSE(loaded.problems.has_errors())
            << loaded.problems.text() << config::toml_text(root_);
        return loaded.model;
    }

    std::filesystem::path folder_;
    Scenario scenario_;
    std::optional<Bound> bound_;
    LiveLayout layout_;
    config::TomlNode root_;
};

TEST_F(LiveConfiguration, ReachesNothingBeyondLoopback) {
    const auto model = loaded();
    ASSERT_NE(model, nullptr);
    for (const auto& endpoint : model->endpoints) {
        EXPECT_FALSE(endpoint.cname);
        for (const auto& address : endpoint.addresses) {
            EXPECT_EQ(address.octets()[0], 127) << endpoint.name;
        }
    }
    ASSERT_EQ(model->server.listen.size(), 1U);
    EXPECT_EQ(model->server.listen[0].text(), "127.90.5.1:0");
    EXPECT_FALSE(model->server.resolver);
    EXPECT_TRUE(model->server.query_log.empty());
    EXPECT_FALSE(model->server.dnstap);
    EXPECT_EQ(model->server.state_dir, "/run/drill/state");
    EXPECT_TRUE(model->admin.tcp.empty());
    ASSERT_EQ(model->admin.unix_sockets.size(), 1U);
    EXPECT_EQ(model->admin.unix_sockets[0], "/run/drill/admin.sock");
    EXPECT_FALSE(model->admin.token_file);
}

TEST_F(LiveConfiguration, MapsAddressesOneToOne) {
    const auto model = loaded();
    ASSERT_EQ(model->endpoints[0].addresses.size(), 2U) << "IPv6 is left out";
    EXPECT_NE(model->endpoints[0].addresses[0], model->endpoints[0].addresses[1]);
    EXPECT_EQ(model->endpoints[1].addresses[0], model->endpoints[0].addresses[0]);
    EXPECT_EQ(model->endpoints[2].addresses.size(), 1U);
    ASSERT_EQ(layout_.sites.size(), 3U);
    EXPECT_EQ(layout_.sites[0].ports.size(), 2U);
}

TEST_F(LiveConfiguration, ChecksAreReplacedAndTheirTimingKept) {
    const auto model = loaded();
    const auto& web = *model->probes[0].spec;
    const auto& written = *bound_->plan->model->probes[0].spec;
    EXPECT_EQ(web.type, health::ProbeType::Http);
    EXPECT_EQ(web.port, 8001);
    EXPECT_EQ(web.path, written.path);
    EXPECT_EQ(web.interval, written.interval);
    EXPECT_EQ(web.timeout, written.timeout);
    EXPECT_EQ(web.fast_interval, written.fast_interval);
    EXPECT_EQ(web.fall, written.fall);
    EXPECT_EQ(web.expect_status, written.expect_status);
    EXPECT_EQ(model->probes[1].spec->type, health::ProbeType::Tcp);
    EXPECT_EQ(model->probes[1].spec->port, 8002);
    EXPECT_TRUE(layout_.sites[0].ports[0].good.starts_with("HTTP/1.1 204 "));
    EXPECT_TRUE(layout_.sites[0].ports[0].bad.starts_with("HTTP/1.1 503 "));
}

TEST_F(LiveConfiguration, WhatSteersStays) {
    const auto model = loaded();
    const auto& written = *bound_->plan->model;
    ASSERT_EQ(model->routes.size(), written.routes.size());
    EXPECT_EQ(model->routes[0].members[0].weight, 3U);
    EXPECT_EQ(model->routes[1].failback, written.routes[1].failback);
    EXPECT_EQ(model->server.identity, written.server.identity);
    EXPECT_EQ(model->endpoints[0].capacity, written.endpoints[0].capacity);
    EXPECT_EQ(model->zones[0].file, folder_ / "z");
    const auto& steer = model->zones[0].steer;
    ASSERT_EQ(steer.size(), 2U) << "the name, and a wildcard for more like it";
    EXPECT_EQ(steer[1].owner.to_text(), "*.steerd-drill.example.com.");
    EXPECT_EQ(steer[1].ttl_s, 30U);
    EXPECT_EQ(steer[1].ttl_min_s, 1U);
    ASSERT_EQ(model->geo.networks.size(), 1U) << "demand at coordinates";
    EXPECT_EQ(model->geo.networks[0].prefix, location_prefix(2));
    EXPECT_EQ(model->geo.networks[0].location, (geo::Location{1.5, 2}));
}

TEST_F(LiveConfiguration, AMembersWeightIsChangedInPlace) {
    EXPECT_TRUE(set_weight(root_, scenario_.events[0]));
    EXPECT_EQ(loaded()->routes[0].members[1].weight, 9U);
    ScenarioEvent other = scenario_.events[0];
    other.target = "nobody";
    EXPECT_FALSE(set_weight(root_, other));
}

TEST_F(LiveConfiguration, NotesNameWhatWasReplaced) {
    std::string all;
    for (const std::string& note : layout_.notes) {
        all += note + "\n";
    }
    for (const char* words : {"web is http instead of https", "script is tcp instead of exec",
                              "sorry.example.net.", "2001:db8::10"}) {
        EXPECT_NE(all.find(words), std::string::npos) << words << "\n" << all;
    }
}

TEST(TomlText, IsReadBackAsItWas) {
    const std::string text = config::toml_text(*config::parse_toml(
        "a = \"q\\\"\\\\\\n\\u0001ü\"\nb = [1, -2.5, 3.0, 1e300, true, []]\n"
        "\"odd key\" = { x = { y = [{ z = 'l' }] } }\n[t.\"u v\".w.x.y]\nn = 1\n",
        "f"));
    const auto again = config::parse_toml(text, "f");
    ASSERT_TRUE(again) << text;
    EXPECT_EQ(config::toml_text(*again), text);
    EXPECT_EQ(again->find("a")->value.text, "q\"\\\n\x01ü");
    EXPECT_EQ(again->find("b")->value.items[2].kind, config::TomlNode::Kind::Float);
    EXPECT_EQ(again->find("b")->value.items[3].real, 1e300);
    EXPECT_NE(again->find("odd key")->value.find("x")->value.find("y"), nullptr);
}

}  // namespace
}  // namespace steerd::drill
