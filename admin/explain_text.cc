// Explained decisions for people, from their JSON, so that offline and of a running server the
// words are the same. Thread rule: pure.
#include <fmt/format.h>

#include <iterator>
#include <vector>

#include "admin/explain.h"

namespace steerd::admin {

namespace {

/// The text, or nothing where the key is null or absent.
std::string word(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string place_text(const Json& place) {
    if (!place.at("known").get<bool>()) {
        return "place unknown";
    }
    std::string out;
    const auto add = [&](const std::string& one) { out += (out.empty() ? "" : ", ") + one; };
    const std::string subdivision = word(place, "subdivision");
    if (const auto land = subdivision.empty() ? word(place, "country") : subdivision;
        !land.empty()) {
        add(land);
    }
    if (const auto continent = word(place, "continent"); !continent.empty()) {
        add(continent);
    }
    if (place.at("asn").is_number()) {
        add(fmt::format("AS{}", place.at("asn").get<std::uint32_t>()));
    }
    if (const auto& location = place.at("location"); location.is_array()) {
        add(fmt::format("{:.2f} {:.2f}", location.at(0).get<double>(),
                        location.at(1).get<double>()));
    }
    const auto source = word(place, "source");
    return out + (source.empty() ? "" : fmt::format(" (from {})", source));
}

/// Where the estimate of a round trip comes from.
std::string estimate_text(const Json& member) {
    if (!member.contains("rtt_source")) {
        return {};
    }
    const auto detail = word(member, "rtt_detail");
    return fmt::format(" ({}{}{})", word(member, "rtt_source"), detail.empty() ? "" : ": ", detail);
}

void add_steps(std::string& out, const Json& steps) {
    for (const auto& step : steps) {
        fmt::format_to(std::back_inserter(out), "\nroute {} ({})\n", word(step, "route"),
                       word(step, "policy"));
        for (const auto& member : step.at("members")) {
            fmt::format_to(std::back_inserter(out), "  {} {:<20} {:<9}",
                           member.at("chosen").get<bool>() ? "->" : "  ", word(member, "name"),
                           word(member, "health"));
            if (member.at("rtt_ms").is_number()) {
                fmt::format_to(std::back_inserter(out), " {:>7.1f} ms",
                               member.at("rtt_ms").get<double>());
            } else if (word(step, "policy") == "latency") {
                fmt::format_to(std::back_inserter(out), " {:>7}   ", "-");
            }
            fmt::format_to(std::back_inserter(out), " {:>6.1f} %  {}",
                           member.at("share").get<double>() * 100, word(member, "reason"));
            out += estimate_text(member) + "\n";
        }
    }
}

void add_decision(std::string& out, const Json& decision) {
    const auto endpoints = decision.at("endpoints").get<std::vector<std::string>>();
    fmt::format_to(
        std::back_inserter(out), "\ndecision: {} (ttl {} s, holds for /{} of the client{})\n",
        endpoints.empty() ? "no endpoint" : fmt::format("{}", fmt::join(endpoints, ", ")),
        decision.at("ttl").get<std::uint32_t>(), decision.at("scope").get<unsigned>(),
        decision.at("fail_open").get<bool>()
            ? "; nothing is available for this client: when_all_down"
            : "");
}

}  // namespace

std::string explain_text(const Json& explained) {
    const auto& client = explained.at("client");
    const auto& decision = explained.at("decision");
    const auto& answer = explained.at("answer");
    const bool by_prefix = client.at("by_prefix").get<bool>();
    const std::string prefix =
        by_prefix ? fmt::format("/{}", client.at("prefix").get<unsigned>()) : "";
    const auto zone = word(explained, "zone");
    std::string out = fmt::format(
        "{} {} for {}{}\nclient: {}\nzone: {}, {}\n", word(explained.at("question"), "name"),
        word(explained.at("question"), "type"), word(client, "address"), prefix,
        place_text(client.at("place")), zone.empty() ? "none" : zone, word(explained, "finding"));
    if (!decision.is_null()) {
        add_steps(out, decision.at("steps"));
        add_decision(out, decision);
    }
    out += fmt::format("\nanswer: {}\n", word(answer, "rcode"));
    for (const char* section : {"records", "authority", "additional"}) {
        for (const auto& record : answer.at(section)) {
            out += fmt::format("  {}\n", record.get<std::string>());
        }
    }
    return out;
}

}  // namespace steerd::admin
