// steerd explain: one question for one client, through the very answer function that serves
// (product.md §2, §9). Everything counts as up but what --down names.
#include <fmt/format.h>

#include <charconv>
#include <random>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/json.h"
#include "cli/suppose.h"
#include "config/load.h"
#include "dns/message.h"
#include "policy/answer.h"
#include "policy/trace.h"
#include "server/loader.h"

namespace steerd::cli {

namespace {

struct Asked {
    dns::Name name;
    dns::RrType type{};
    base::IpPrefix client;
    bool by_prefix = false;  // --client IP/LEN: as EDNS Client Subnet would tell it
    std::uint64_t draw = 0;
};

Asked parse_asked(const Args& args) {
    args.expect_positional(2);
    Asked out;
    const auto name = dns::Name::parse(args.positional()[0]);
    if (!name) {
        throw UsageError(fmt::format("bad name \"{}\": {}", args.positional()[0], name.error()));
    }
    out.name = *name;
    const auto type = dns::parse_type(args.positional()[1]);
    if (!type) {
        throw UsageError(fmt::format("unknown type \"{}\"", args.positional()[1]));
    }
    out.type = *type;
    const auto client = args.value("--client");
    if (!client) {
        throw UsageError("--client IP[/LEN] is missing");
    }
    const auto slash = client->find('/');
    const auto address = base::IpAddress::parse(client->substr(0, slash));
    unsigned length = address ? base::bits_of(address->family()) : 0U;
    bool good = address.has_value();
    if (good && slash != std::string::npos) {
        const char* end = client->data() + client->size();
        const auto read = std::from_chars(client->data() + slash + 1, end, length);
        good =
            read.ec == std::errc{} && read.ptr == end && length <= base::bits_of(address->family());
        out.by_prefix = true;
    }
    if (!good) {
        throw UsageError(fmt::format("bad client \"{}\": wants an address or a prefix", *client));
    }
    out.client = base::IpPrefix(*address, length);
    if (const auto draw = args.value("--draw")) {
        const auto read = std::from_chars(draw->data(), draw->data() + draw->size(), out.draw);
        if (read.ec != std::errc{} || read.ptr != draw->data() + draw->size()) {
            throw UsageError(fmt::format("bad draw \"{}\": wants a number", *draw));
        }
    } else {
        std::random_device random;
        out.draw = (std::uint64_t{random()} << 32) | random();
    }
    return out;
}

struct Explained {
    policy::Trace trace;
    dns::Message message;
};

Explained ask(const policy::Snapshot& snapshot, const Asked& asked) {
    dns::QueryOptions options;
    options.edns.emplace();
    if (asked.by_prefix) {
        options.edns->subnet = asked.client;
    }
    const auto query = dns::compose_query(asked.name, asked.type, options);
    policy::Request request;
    request.query = query;
    request.client = asked.by_prefix ? base::IpAddress::v4(0x7F000001) : asked.client.address();
    request.transport = policy::Transport::Tcp;  // the whole answer, whatever its size
    request.now = snapshot.published;
    request.draw = asked.draw;
    std::vector<std::uint8_t> out(policy::kMaxTcpAnswer);
    Explained result;
    const auto outcome = policy::answer(snapshot, request, out, &result.trace);
    auto message = dns::parse_message(std::span(out).first(outcome.size));
    if (!message) {
        throw Failure("our own answer cannot be read: " + message.error());
    }
    result.message = std::move(*message);
    return result;
}

template <typename T>
Json or_null(const std::optional<T>& value) {
    return value ? Json(*value) : Json(nullptr);
}

Json place_json(const geo::Place& place) {
    const auto code = [](const auto& c) {
        return c ? Json(std::string(c->view())) : Json(nullptr);
    };
    Json location = nullptr;
    if (place.location) {
        location = Json::array({place.location->latitude, place.location->longitude});
    }
    return {{"known", place.known()},
            {"country", code(place.country)},
            {"continent", code(place.continent)},
            {"subdivision", code(place.subdivision)},
            {"asn", or_null(place.asn)},
            {"location", location},
            {"source", place.source.empty() ? Json(nullptr) : Json(std::string(place.source))}};
}

Json steps_json(const std::vector<policy::Step>& steps) {
    Json out = Json::array();
    for (const auto& step : steps) {
        Json members = Json::array();
        for (const auto& member : step.members) {
            Json m = {{"name", member.name}, {"health", member.health}};
            m["rtt_ms"] = or_null(member.rtt_ms);
            if (!member.rtt_source.empty()) {
                m["rtt_source"] = member.rtt_source;
            }
            m["share"] = member.share;
            m["chosen"] = member.chosen;
            m["reason"] = member.reason;
            members.push_back(std::move(m));
        }
        out.push_back({{"route", step.route},
                       {"policy", std::string(config::to_text(step.policy))},
                       {"members", std::move(members)}});
    }
    return out;
}

Json to_json(const Asked& asked, const Explained& e) {
    Json decision = nullptr;
    if (!e.trace.route.empty()) {
        decision = {{"route", e.trace.route},         {"endpoints", e.trace.endpoints},
                    {"ttl", e.trace.ttl_s},           {"scope", e.trace.scope},
                    {"fail_open", e.trace.fail_open}, {"steps", steps_json(e.trace.steps)}};
    }
    Json records = Json::array();
    for (const auto& record : e.message.section(dns::Section::Answer)) {
        records.push_back(record.text());
    }
    Json authority = Json::array();
    for (const auto& record : e.message.section(dns::Section::Authority)) {
        authority.push_back(record.text());
    }
    return {{"question", {{"name", asked.name.to_text()}, {"type", dns::to_text(asked.type)}}},
            {"client",
             {{"address", asked.client.address().text()},
              {"prefix", asked.client.length()},
              {"place", place_json(e.trace.place)}}},
            {"finding", e.trace.finding},
            {"zone", e.trace.zone.empty() ? Json(nullptr) : Json(e.trace.zone)},
            {"decision", decision},
            {"answer",
             {{"rcode", dns::to_text(e.message.rcode)},
              {"records", std::move(records)},
              {"authority", std::move(authority)}}}};
}

std::string place_text(const geo::Place& place) {
    if (!place.known()) {
        return "place unknown";
    }
    std::string out;
    const auto add = [&](const std::string& word) { out += (out.empty() ? "" : ", ") + word; };
    if (place.subdivision) {
        add(std::string(place.subdivision->view()));
    } else if (place.country) {
        add(std::string(place.country->view()));
    }
    if (place.continent) {
        add(std::string(place.continent->view()));
    }
    if (place.asn) {
        add(fmt::format("AS{}", *place.asn));
    }
    if (place.location) {
        add(fmt::format("{:.2f} {:.2f}", place.location->latitude, place.location->longitude));
    }
    return out + (place.source.empty() ? "" : fmt::format(" (from {})", place.source));
}

void print_steps(const std::vector<policy::Step>& steps) {
    for (const auto& step : steps) {
        fmt::print("\nroute {} ({})\n", step.route, config::to_text(step.policy));
        for (const auto& member : step.members) {
            fmt::print("  {} {:<20} {:<9}", member.chosen ? "->" : "  ", member.name,
                       member.health);
            if (member.rtt_ms) {
                fmt::print(" {:>7.1f} ms", *member.rtt_ms);
            }
            fmt::print(" {:>6.1f} %  {}\n", member.share * 100, member.reason);
        }
    }
}

void print_text(const Asked& asked, const Explained& e) {
    fmt::print("{} {} for {}\n", asked.name.to_text(), dns::to_text(asked.type),
               asked.by_prefix ? asked.client.text() : asked.client.address().text());
    fmt::print("client: {}\n", place_text(e.trace.place));
    fmt::print("zone: {}, {}\n", e.trace.zone.empty() ? "none" : e.trace.zone, e.trace.finding);
    print_steps(e.trace.steps);
    if (!e.trace.route.empty()) {
        fmt::print(
            "\ndecision: {} (ttl {} s, holds for /{} of the client{})\n",
            e.trace.endpoints.empty() ? "no endpoint"
                                      : fmt::format("{}", fmt::join(e.trace.endpoints, ", ")),
            e.trace.ttl_s, e.trace.scope,
            e.trace.fail_open ? "; nothing is available for this client: when_all_down" : "");
    }
    fmt::print("\nanswer: {}\n", dns::to_text(e.message.rcode));
    for (const auto& record : e.message.records) {
        fmt::print("  {}\n", record.text());
    }
}

}  // namespace

int run_explain(const Args& args) {
    const auto asked = parse_asked(args);
    const auto loaded = server::load_plan(config_path(args), {});
    for (const auto& problem : loaded.problems.all()) {
        if (problem.severity == base::Severity::Error) {
            fmt::print(stderr, "{}\n", problem.text());
        }
    }
    if (loaded.plan == nullptr) {
        return kFailed;
    }
    auto facts = policy::all_up(*loaded.plan);
    for (const auto& name : args.values("--down")) {
        suppose_down(*loaded.plan, name, facts);
    }
    policy::Snapshot snapshot;
    snapshot.plan = loaded.plan;
    snapshot.health = policy::compile_health(*loaded.plan, facts);
    snapshot.published = base::RealClock().now();
    const auto explained = ask(snapshot, asked);
    if (args.has("--json")) {
        fmt::print("{}\n",
                   to_json(asked, explained).dump(2, ' ', false, Json::error_handler_t::replace));
    } else {
        print_text(asked, explained);
    }
    return kOk;
}

}  // namespace steerd::cli
