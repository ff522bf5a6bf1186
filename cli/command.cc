#include "cli/command.h"

#include <fmt/format.h>

#include <algorithm>

namespace steerd::cli {

Args::Args(std::span<const std::string> words, std::span<const Option> options) {
    bool only_positional = false;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string_view word = words[i];
        if (only_positional || word.size() < 2 || word.front() != '-') {
            positional_.emplace_back(word);
            continue;
        }
        if (word == "--") {
            only_positional = true;
            continue;
        }
        const auto equals = word.find('=');
        const auto name = word.substr(0, equals);
        const auto option = std::find_if(options.begin(), options.end(), [&](const Option& o) {
            return o.name == name || (!o.short_name.empty() && o.short_name == name);
        });
        if (option == options.end()) {
            throw UsageError(fmt::format("unknown option {}", name));
        }
        if (!option->takes_value) {
            if (equals != std::string_view::npos) {
                throw UsageError(fmt::format("{} takes no value", name));
            }
            given_.emplace_back(option->name, "");
        } else if (equals != std::string_view::npos) {
            given_.emplace_back(option->name, word.substr(equals + 1));
        } else if (i + 1 < words.size()) {
            given_.emplace_back(option->name, words[++i]);
        } else {
            throw UsageError(fmt::format("{} needs a value", name));
        }
    }
}

bool Args::has(std::string_view option) const {
    return std::any_of(given_.begin(), given_.end(),
                       [&](const auto& pair) { return pair.first == option; });
}

std::optional<std::string> Args::value(std::string_view option) const {
    const auto all = values(option);
    return all.empty() ? std::nullopt : std::optional(all.back());
}

std::vector<std::string> Args::values(std::string_view option) const {
    std::vector<std::string> out;
    for (const auto& [name, value] : given_) {
        if (name == option) {
            out.push_back(value);
        }
    }
    return out;
}

void Args::expect_positional(std::size_t count) const {
    if (positional_.size() < count) {
        throw UsageError("too few arguments");
    }
    if (positional_.size() > count) {
        throw UsageError(fmt::format("unexpected argument \"{}\"", positional_[count]));
    }
}

std::filesystem::path config_path(const Args& args) {
    if (const auto given = args.value("--config")) {
        return *given;
    }
    for (const char* candidate : {"steerd.toml", "/etc/steerd/steerd.toml"}) {
        std::error_code ignored;
        if (std::filesystem::exists(candidate, ignored)) {
            return candidate;
        }
    }
    throw Failure(
        "no configuration: neither ./steerd.toml nor /etc/steerd/steerd.toml exists; say -c FILE");
}

namespace {

constexpr Option kConfig{"--config", true, "-c"};
constexpr Option kJson{"--json", false, ""};

constexpr Option kAdmin{"--admin", true, ""};
constexpr Option kTokenFile{"--token-file", true, ""};

constexpr Option kServeOptions[] = {kConfig};
constexpr Option kCheckOptions[] = {kConfig, kJson};
constexpr Option kExplainOptions[] = {kConfig,
                                      kJson,
                                      {"--client", true, ""},
                                      {"--down", true, ""},
                                      {"--draw", true, ""},
                                      {"--server", false, ""},
                                      kAdmin,
                                      kTokenFile};
constexpr Option kForecastOptions[] = {kConfig,
                                       kJson,
                                       {"--name", true, ""},
                                       {"--down", true, ""},
                                       {"--config-after", true, ""},
                                       {"--demand", true, ""},
                                       {"--type", true, ""},
                                       {"--html", true, ""}};
constexpr Option kLatencyOptions[] = {{"--output", true, "-o"}, {"--prefix4", true, ""},
                                      {"--prefix6", true, ""},  {"--min-samples", true, ""},
                                      {"--client", true, ""},   {"--region", true, ""},
                                      {"--rtt", true, ""}};
constexpr Option kDrillOptions[] = {
    {"--json", true, ""},  {"--html", true, ""},  {"--threads", true, ""},  {"--seed", true, ""},
    {"--sweep", true, ""}, {"--live", false, ""}, {"--validate", false, ""}};

constexpr Option kStatusOptions[] = {
    kConfig, kAdmin, kTokenFile, kJson, {"--watch", false, ""}, {"--names", false, ""}};
constexpr Option kOrderOptions[] = {kConfig,
                                    kAdmin,
                                    kTokenFile,
                                    kJson,
                                    {"--for", true, ""},
                                    {"--reason", true, ""},
                                    {"--force", false, ""}};
constexpr Option kAskOptions[] = {kConfig, kAdmin, kTokenFile, kJson};
constexpr Option kReloadOptions[] = {kConfig, kAdmin, kTokenFile, kJson, {"--or-signal", true, ""}};
constexpr Option kEventsOptions[] = {
    kConfig, kAdmin, kTokenFile, kJson, {"--last", true, ""}, {"--no-follow", false, ""}};

constexpr std::string_view kOrderUsage =
    "steerd drain|up|down NAME [--for 30m] [--reason \"...\"] [--force] [--json]\n"
    "                          [-c steerd.toml | --admin ADDRESS]\n\n"
    "Orders an endpoint, or region:NAME, at the running server: drain is planned, down counts as\n"
    "a failure, up holds whatever probes say. Returns when the next query obeys and the order is\n"
    "on disk; it holds until --for is over or `steerd release NAME`. An order that would leave a\n"
    "steered name no candidate is refused, unless --force.\n";

constexpr Command kCommands[] = {
    {"serve", "run the server",
     "steerd serve [-c steerd.toml]\n\n"
     "Answers queries in the foreground until SIGTERM or SIGINT; SIGHUP reloads.\n",
     kServeOptions, run_serve},
    {"check", "load a configuration as serve would and print every problem",
     "steerd check [-c steerd.toml] [--json]\n\n"
     "Prints each problem as file:line:col and, for every steered name, the worst-case failover\n"
     "time with the terms it adds up from. Exit status 1 when there is an error.\n",
     kCheckOptions, run_check},
    {"explain", "tell which answer a client gets, and why",
     "steerd explain [-c steerd.toml] NAME TYPE --client IP[/LEN] [--down NAME]... [--json]\n"
     "steerd explain --server [--admin ADDRESS] NAME TYPE --client IP[/LEN] [--json]\n\n"
     "Everything is supposed up but what --down names (an endpoint or region:NAME, repeatable).\n"
     "With /LEN the client is known by its prefix, as by EDNS Client Subnet; without, the address\n"
     "itself asks. --draw N fixes the random draw of weighted and multivalue routes. --server\n"
     "asks the running server instead, with its live health and orders.\n",
     kExplainOptions, run_explain},
    {"drill", "rehearse an outage and tell how long clients stay on what is dead",
     "steerd drill SCENARIO.toml [--live] [--json FILE] [--html FILE] [--threads N] [--seed N]\n"
     "                    [--sweep \"ttl=5s,30s interval=1s,5s\"] [--validate]\n\n"
     "Runs the scenario on virtual time: the configuration it names, the outages it scripts, its\n"
     "population of resolver caches. The same seed gives the same report for any number of\n"
     "threads. --sweep tries each choice of ttl, ttl_min, interval and fall and shows what it\n"
     "costs in queries and buys in time. --live takes as long as the scenario says: a real\n"
     "server, real endpoints and real questions on loopback. --validate runs the resolvers that\n"
     "are installed here (Unbound, BIND, Knot Resolver, PowerDNS Recursor, dnsmasq) as caches\n"
     "before a live server and holds them against the simulation, in one to two minutes. Exit\n"
     "status 1 when one of them does not fit or something the scenario expects does not hold;\n"
     "reports are written all the same.\n",
     kDrillOptions, run_drill},
    {"forecast", "tell which share of the clients each endpoint gets before and after a change",
     "steerd forecast [-c steerd.toml] --name NAME [--down NAME]... [--config-after FILE]\n"
     "                       [--demand FILE] [--type A|AAAA] [--json] [--html FILE]\n\n"
     "Walks the table that answers are taken from: public IPv4 addresses, or IPv6 /48s with\n"
     "--type AAAA, or the prefixes of --demand (CSV: prefix,weight; weight in requests/s).\n"
     "Before is the configuration with everything up; after is the one of --config-after, else\n"
     "the same, with what --down names (an endpoint or region:NAME, repeatable) down. With\n"
     "--demand it warns where an endpoint would get more than its capacity. --html writes a page\n"
     "with world maps.\n",
     kForecastOptions, run_forecast},
    {"latency", "make measured round trips a latency.csv",
     "steerd latency import CSV... [-o latency.csv] [--prefix4 24] [--prefix6 48]\n"
     "                      [--min-samples N] [--client NAME] [--region NAME] [--rtt NAME]\n\n"
     "Reads exports of pings or of real users (a header, then client address, region, rtt_ms in\n"
     "any order; - is standard input) and prints the median of each prefix and region with the\n"
     "count of its samples. --client, --region and --rtt say which columns are meant where the\n"
     "header does not use known words; times may be told in ms, us or s by the column's name.\n",
     kLatencyOptions, run_latency},
    {"status", "show endpoints, health, orders, holds and routes of the running server",
     "steerd status [--watch] [--json | --names] [-c steerd.toml | --admin ADDRESS]\n\n"
     "--watch follows until interrupted. --names prints what can be ordered or released, one a\n"
     "line, for completion. ADDRESS: unix:PATH or 127.0.0.1:5380; left out, it is the first Unix\n"
     "socket of [admin] listen in the configuration.\n",
     kStatusOptions, run_status},
    {"drain", "order an endpoint or region out, as planned", kOrderUsage, kOrderOptions, run_drain},
    {"up", "order an endpoint or region up, whatever probes say", kOrderUsage, kOrderOptions,
     run_up},
    {"down", "order an endpoint or region out, as failed", kOrderUsage, kOrderOptions, run_down},
    {"release", "take an order back, or let a held failback happen",
     "steerd release NAME [--json] [-c steerd.toml | --admin ADDRESS]\n\n"
     "NAME is an endpoint, region:NAME, or route:NAME: then a failover route that stays off its\n"
     "first choice takes the first available again.\n",
     kAskOptions, run_release},
    {"reload", "let the running server read its configuration again, and tell what came of it",
     "steerd reload [--or-signal PID] [--json] [-c steerd.toml | --admin ADDRESS]\n\n"
     "The same as SIGHUP. Prints each problem as file:line:col; exit status 1 when anything was\n"
     "refused. --or-signal, for service managers: where no server can be asked, SIGHUP is sent\n"
     "to this process, and its log tells what came of it.\n",
     kReloadOptions, run_reload},
    {"events", "follow transitions and orders of the running server",
     "steerd events [--last N] [--no-follow] [--json] [-c steerd.toml | --admin ADDRESS]\n\n"
     "Begins with the last 10 (--last N), then prints each as it happens. --no-follow prints what\n"
     "there is and ends. --json: one object a line.\n",
     kEventsOptions, run_events},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

}  // namespace steerd::cli
