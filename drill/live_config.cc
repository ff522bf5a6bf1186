#include "drill/live_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "base/check.h"

namespace steerd::drill {

using base::IpAddress;
using config::index;
using config::TomlEntry;
using config::TomlNode;
using health::ProbeType;

namespace {

constexpr std::uint32_t kServerOffset = 1, kClientOffset = 2, kFirstSite = 16;
constexpr std::size_t kMostNamed = 12;  // of a note's examples

std::string listed(const std::vector<std::string>& all) {
    const std::size_t shown = std::min(all.size(), kMostNamed);
    std::string text = fmt::format(
        "{}", fmt::join(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
    return shown == all.size() ? text : text + fmt::format(" and {} more", all.size() - shown);
}

bool becomes_http(ProbeType type) { return type == ProbeType::Http || type == ProbeType::Https; }

/// What a check of this probe accepts, and what it does not.
SitePort site_port(const health::ProbeSpec& spec) {
    SitePort port;
    port.http = becomes_http(spec.type);
    const auto accepted = [&](int status) {
        return std::any_of(
            spec.expect_status.begin(), spec.expect_status.end(),
            [&](const auto& range) { return range.first <= status && status <= range.second; });
    };
    const auto response = [](int status, const std::string& body) {
        return fmt::format(
            "HTTP/1.1 {} Drill\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n"
            "Connection: close\r\n\r\n{}",
            status, body.size(), body);
    };
    int good = 200;
    if (!accepted(good) && !spec.expect_status.empty()) {
        good = spec.expect_status.front().first;
    }
    port.good = response(good, spec.expect_body.empty() ? "ok\n" : spec.expect_body);
    for (const int bad : {503, 500, 404}) {
        if (!accepted(bad) && port.bad.empty()) {
            port.bad = response(bad, "");
        }
    }
    return port;
}

class Layout {
  public:
    Layout(const Scenario& scenario, const Bound& bound, std::uint16_t network)
        : scenario_(scenario),
          model_(*bound.plan->model),
          plan_(*bound.plan),
          bound_(bound),
          base_(127U << 24U | std::uint32_t{network} << 8U) {}

    LiveLayout run(base::Problems& problems) {
        out_.server = IpAddress::v4(base_ + kServerOffset);
        out_.client = IpAddress::v4(base_ + kClientOffset);
        const auto& steered = plan_.steered[index(bound_.steered)];
        const auto& tree = plan_.trees[index(steered.tree)];
        const std::set<policy::EndpointId> under(tree.endpoints.begin(), tree.endpoints.end());
        for (std::size_t i = 0; i < model_.endpoints.size(); ++i) {
            place(model_.endpoints[i], under.contains(static_cast<policy::EndpointId>(i)),
                  problems);
        }
        if (out_.sites.size() > kMostSites) {
            problems.error(scenario_.name_at,
                           fmt::format("a live drill starts a process for each endpoint address; "
                                       "{} are more than {}",
                                       out_.sites.size(), kMostSites));
        }
        tell();
        return std::move(out_);
    }

  private:
    void place(const config::EndpointConfig& endpoint, bool drilled, base::Problems& problems) {
        LiveEndpoint& made = out_.endpoints.emplace_back();
        if (endpoint.cname) {
            made.live = {site_of(std::nullopt, endpoint)};
            std::string target = endpoint.cname->to_text();
            target.resize(target.find_last_not_of('.') + 1);
            targets_.push_back(fmt::format("{} for {}", made.live[0].text(), target));
            return;
        }
        const bool v4 = scenario_.type == AskedType::A;
        const auto asked = [&](const IpAddress& address) { return address.is_v4() == v4; };
        const bool any = std::any_of(endpoint.addresses.begin(), endpoint.addresses.end(), asked);
        if (!any && drilled) {
            problems.error(
                endpoint.at,
                fmt::format("endpoint {} has no {} address: a live drill has IPv4 loopback only "
                            "and maps the addresses of the asked type, so it cannot stand in here",
                            endpoint.name, v4 ? "IPv4" : "IPv6"));
        }
        for (const IpAddress& address : endpoint.addresses) {
            if (any && !asked(address)) {
                left_out_.push_back(address.text());
                continue;
            }
            made.real.push_back(address);
            made.live.push_back(site_of(address, endpoint));
        }
        mapped_.push_back(fmt::format("{} at {}", endpoint.name, made.live.front().text()));
    }

    /// Endpoints that share an address share its site, with the ports of both.
    IpAddress site_of(const std::optional<IpAddress>& real,
                      const config::EndpointConfig& endpoint) {
        std::size_t number = out_.sites.size();
        if (real) {
            number = numbers_.emplace(*real, number).first->second;
        }
        if (number == out_.sites.size()) {
            SitePlan plan;
            plan.address = IpAddress::v4(base_ + kFirstSite + static_cast<std::uint32_t>(number));
            plan.client = out_.client;
            plan.seed = scenario_.seed + number;
            out_.sites.push_back(std::move(plan));
            probes_of_site_.emplace_back();
        }
        for (const config::ProbeId probe : endpoint.probes) {
            probes_of_site_[number].insert(probe);
        }
        SitePlan& plan = out_.sites[number];
        plan.ports.clear();
        for (const config::ProbeId probe : probes_of_site_[number]) {
            plan.ports.push_back(site_port(*model_.probes[index(probe)].spec));
            plan.ports.back().port = static_cast<std::uint16_t>(index(probe));  // until it has one
        }
        return plan.address;
    }

    void tell() {
        auto& notes = out_.notes;
        notes.push_back(fmt::format("Live: a real server and {} real endpoints on loopback; {}.",
                                    out_.sites.size(), listed(mapped_)));
        if (!targets_.empty()) {
            notes.push_back(fmt::format("CNAME targets are addresses of their own here: {}.",
                                        listed(targets_)));
        }
        if (scenario_.type == AskedType::Aaaa) {
            notes.emplace_back(
                "IPv6 addresses stand as IPv4 ones, and A is asked for: of IPv6 there is only one "
                "loopback address.");
        }
        if (!left_out_.empty()) {
            notes.push_back(
                fmt::format("Left out, not being of the asked type: {}.", listed(left_out_)));
        }
        for (const config::ProbeConfig& probe : model_.probes) {
            const ProbeType type = probe.spec->type;
            if (type == ProbeType::Https) {
                notes.push_back(
                    fmt::format("Probe {} is http instead of https; no certificate is checked.",
                                probe.spec->name));
            } else if (type == ProbeType::Exec || type == ProbeType::Dns) {
                notes.push_back(
                    fmt::format("Probe {} is tcp instead of {}.", probe.spec->name, to_text(type)));
            }
        }
    }

    const Scenario& scenario_;
    const config::Model& model_;
    const policy::Plan& plan_;
    const Bound& bound_;
    std::uint32_t base_;
    LiveLayout out_;
    std::map<IpAddress, std::size_t> numbers_;
    std::vector<std::set<config::ProbeId>> probes_of_site_;
    std::vector<std::string> mapped_, targets_, left_out_;
};

void make_absolute(TomlNode* node, const std::filesystem::path& folder) {
    if (node != nullptr && node->kind == TomlNode::Kind::String) {
        node->text = (folder / node->text).lexically_normal().string();
    } else if (node != nullptr) {
        for (TomlNode& item : node->items) {
            make_absolute(&item, folder);
        }
    }
}

TomlNode network_table(const config::NetworkConfig& network) {
    TomlNode table;
    set_value(table, "prefix", config::toml_string(network.prefix.text()));
    if (network.location) {
        set_value(table, "location",
                  config::toml_array({config::toml_real(network.location->latitude),
                                      config::toml_real(network.location->longitude)}));
    }
    const auto text = [&](const char* key, const std::optional<std::string>& value) {
        if (value) {
            set_value(table, key, config::toml_string(*value));
        }
    };
    text("country", network.country);
    text("continent", network.continent);
    text("subdivision", network.subdivision);
    if (network.asn) {
        set_value(table, "asn", config::toml_integer(*network.asn));
    }
    return table;
}

void rewrite_server(TomlNode& root, const LiveLayout& layout, const std::filesystem::path& folder) {
    TomlNode& server = config::table_at(root, "server");
    set_value(server, "listen", config::toml_strings({layout.server.text() + ":0"}));
    set_value(server, "state_dir", config::toml_string((folder / "state").string()));
    config::erase_key(server, "resolver");        // nothing is resolved any more
    config::erase_key(server, "cookie_secrets");  // the drill's clients send none
    config::erase_key(server, "query_log");       // what is asked is the drill's own
    config::erase_key(server, "dnstap");          // the real server may be writing there
    config::erase_key(server, "rate_limit");      // and they are all on one loopback
    TomlNode admin;
    set_value(admin, "listen", config::toml_strings({"unix:" + (folder / kAdminSocket).string()}));
    set_value(root, "admin", std::move(admin));
}

void rewrite_geo(TomlNode& root, const Scenario& scenario, const std::filesystem::path& folder) {
    const auto more = location_networks(scenario);
    TomlNode* geo = find_value(root, "geo");
    if (geo == nullptr && more.empty()) {
        return;
    }
    geo = &config::table_at(root, "geo");
    for (const char* key : {"databases", "latency", "country_table"}) {
        make_absolute(find_value(*geo, key), folder);
    }
    TomlNode* networks = find_value(*geo, "networks");
    if (networks == nullptr) {
        set_value(*geo, "networks", config::toml_array({}));
        networks = find_value(*geo, "networks");
    }
    for (const auto& network : more) {
        networks->items.push_back(network_table(network));
    }
}

void rewrite_probes(TomlNode& root, const config::Model& model, const LiveLayout& layout) {
    TomlNode& probes = config::table_at(root, "probes");
    for (std::size_t i = 0; i < model.probes.size(); ++i) {
        const health::ProbeSpec& spec = *model.probes[i].spec;
        TomlNode& probe = config::table_at(probes, spec.name);
        for (const char* key : {"verify", "ca_file", "query", "command"}) {
            config::erase_key(probe, key);
        }
        set_value(probe, "type", config::toml_string(becomes_http(spec.type) ? "http" : "tcp"));
        set_value(probe, "port", config::toml_integer(layout.ports[i]));
    }
}

void rewrite_endpoints(TomlNode& root, const config::Model& model, const LiveLayout& layout) {
    TomlNode& endpoints = config::table_at(root, "endpoints");
    for (std::size_t i = 0; i < model.endpoints.size(); ++i) {
        TomlNode& endpoint = config::table_at(endpoints, model.endpoints[i].name);
        std::vector<std::string> addresses;
        for (const IpAddress& address : layout.endpoints[i].live) {
            addresses.push_back(address.text());
        }
        config::erase_key(endpoint, "cname");
        set_value(endpoint, "addresses", config::toml_strings(addresses));
    }
}

void rewrite_zones(TomlNode& root, const Bound& bound, const std::filesystem::path& folder,
                   const LiveNames& names) {
    const auto& plan = *bound.plan;
    const auto& steered = plan.steered[index(bound.steered)];
    const policy::PlanZone& zone = plan.zones[steered.zone];
    const config::SteerConfig& drilled =
        zone.config->steer[index(bound.steered) - zone.first_steered];
    for (TomlEntry& entry : config::table_at(root, "zones").entries) {
        make_absolute(find_value(entry.value, "file"), folder);
        TomlNode* steer = find_value(entry.value, "steer");
        if (!names.wanted || steer == nullptr) {
            continue;
        }
        const auto here =
            std::find_if(steer->entries.begin(), steer->entries.end(), [&](const TomlEntry& one) {
                return one.line == drilled.at.line && one.column == drilled.at.column;
            });
        if (here != steer->entries.end()) {
            TomlNode copy = here->value;
            if (names.ttl_s) {
                set_value(copy, "ttl", config::toml_string(fmt::format("{}s", *names.ttl_s)));
                config::erase_key(copy, "ttl_min");
            }
            set_value(*steer, fmt::format("*.{}", kNamesLabel), std::move(copy));
        }
    }
}

}  // namespace

LiveLayout lay_out(const Scenario& scenario, const Bound& bound, std::uint16_t network,
                   base::Problems& problems) {
    return Layout(scenario, bound, network).run(problems);
}

void set_ports(const Bound& bound, const std::vector<std::uint16_t>& ports, LiveLayout& layout) {
    CHECK(ports.size() == bound.plan->model->probes.size());
    for (SitePlan& site : layout.sites) {
        for (SitePort& port : site.ports) {
            port.port = ports[port.port];
        }
    }
    layout.ports = ports;
}

TomlNode live_config(const Scenario& scenario, const Bound& bound, const LiveLayout& layout,
                     const std::filesystem::path& folder, const LiveNames& names) {
    const config::Model& model = *bound.plan->model;
    std::ifstream in(model.file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    auto parsed = config::parse_toml(text.str(), model.file.string());
    if (!parsed) {
        return {};  // changed since it was loaded; the server will say what is wrong with it
    }
    TomlNode root = std::move(*parsed);
    const auto home = std::filesystem::absolute(model.file).parent_path();
    rewrite_server(root, layout, folder);
    rewrite_geo(root, scenario, home);
    rewrite_probes(root, model, layout);
    rewrite_endpoints(root, model, layout);
    rewrite_zones(root, bound, home, names);
    return root;
}

bool set_weight(TomlNode& root, const ScenarioEvent& event) {
    TomlNode& route = config::table_at(config::table_at(root, "routes"), event.route);
    TomlNode* members = find_value(route, "members");
    for (std::size_t i = 0; members != nullptr && i < members->items.size(); ++i) {
        TomlNode& member = members->items[i];
        if (member.kind == TomlNode::Kind::String && member.text == event.target) {
            TomlNode table;
            set_value(table, "to", config::toml_string(event.target));
            member = std::move(table);
        }
        const TomlNode* to = find_value(member, "to");
        if (to != nullptr && to->text == event.target) {
            set_value(member, "weight", config::toml_integer(event.weight));
            return true;
        }
    }
    return false;
}

}  // namespace steerd::drill
