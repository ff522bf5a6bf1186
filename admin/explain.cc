// See explain.h. Thread rule: pure functions of a snapshot.
#include "admin/explain.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <random>
#include <vector>

#include "dns/message.h"
#include "policy/answer.h"
#include "policy/trace.h"

namespace steerd::admin {

namespace {

struct Explained {
    policy::Trace trace;
    dns::Message message;
};

template <typename T>
bool read_number(std::string_view text, T& out) {
    const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
    return read.ec == std::errc{} && read.ptr == text.data() + text.size();
}

bool read_client(const std::string& text, Question& out) {
    const auto slash = text.find('/');
    const auto address = base::IpAddress::parse(text.substr(0, slash));
    if (!address) {
        return false;
    }
    unsigned length = base::bits_of(address->family());
    if (slash != std::string::npos) {
        if (!read_number(std::string_view(text).substr(slash + 1), length) ||
            length > base::bits_of(address->family())) {
            return false;
        }
        out.by_prefix = true;
    }
    out.client = base::IpPrefix(*address, length);
    return true;
}

base::Result<Explained, std::string> ask(const policy::Snapshot& snapshot, const Question& asked,
                                         base::Now now) {
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
    request.now = now;
    request.draw = asked.draw;
    std::vector<std::uint8_t> out(policy::kMaxTcpAnswer);
    Explained result;
    const auto outcome = policy::answer(snapshot, request, out, &result.trace);
    auto message = dns::parse_message(std::span(out).first(outcome.size));
    if (!message) {
        return base::Err{"our own answer cannot be read: " + message.error()};
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
                m["rtt_detail"] = member.rtt_detail;
                m["samples"] = or_null(member.rtt_samples);
                m["age_days"] = or_null(member.rtt_age_days);
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

Json records_json(const dns::Message& message, dns::Section section) {
    Json out = Json::array();
    for (const auto& record : message.section(section)) {
        out.push_back(record.text());
    }
    return out;
}

}  // namespace

base::Result<Question, std::string> parse_question(const QuestionText& text) {
    Question out;
    const auto name = dns::Name::parse(text.name);
    if (!name) {
        return base::Err{fmt::format("bad name \"{}\": {}", text.name, name.error())};
    }
    out.name = *name;
    const auto type = dns::parse_type(text.type);
    if (!type) {
        return base::Err{fmt::format("unknown type \"{}\"", text.type)};
    }
    out.type = *type;
    if (!read_client(text.client, out)) {
        return base::Err{
            fmt::format("bad client \"{}\": wants an address or a prefix", text.client)};
    }
    if (text.draw.empty()) {
        std::random_device random;
        out.draw = (std::uint64_t{random()} << 32) | random();
    } else if (!read_number(text.draw, out.draw)) {
        return base::Err{fmt::format("bad draw \"{}\": wants a number", text.draw)};
    }
    return out;
}

base::Result<Json, std::string> explain(const policy::Snapshot& snapshot, const Question& question,
                                        base::Now now) {
    const auto asked = ask(snapshot, question, now);
    if (!asked) {
        return base::Err{asked.error()};
    }
    const auto& [trace, message] = *asked;
    Json decision = nullptr;
    if (!trace.route.empty()) {
        decision = {{"route", trace.route},         {"endpoints", trace.endpoints},
                    {"ttl", trace.ttl_s},           {"scope", trace.scope},
                    {"fail_open", trace.fail_open}, {"steps", steps_json(trace.steps)}};
    }
    return Json{
        {"question", {{"name", question.name.to_text()}, {"type", dns::to_text(question.type)}}},
        {"client",
         {{"address", question.client.address().text()},
          {"prefix", question.client.length()},
          {"by_prefix", question.by_prefix},
          {"place", place_json(trace.place)}}},
        {"finding", trace.finding},
        {"zone", trace.zone.empty() ? Json(nullptr) : Json(trace.zone)},
        {"decision", std::move(decision)},
        {"answer",
         {{"rcode", dns::to_text(message.rcode)},
          {"records", records_json(message, dns::Section::Answer)},
          {"authority", records_json(message, dns::Section::Authority)},
          {"additional", records_json(message, dns::Section::Additional)}}}};
}

}  // namespace steerd::admin
