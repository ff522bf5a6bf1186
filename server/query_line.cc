// The text of one line of the query log, in logfmt: pairs of key=value, quoted where they have to
// be. The reason comes from deciding once more with the same draw, which costs the thread that
// answers nothing; where a newer snapshot stands meanwhile, the line says so. Of the client no more
// than its /24 or /56 is told. Thread rule: pure.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <vector>

#include "dns/query.h"
#include "policy/trace.h"
#include "server/logfmt.h"
#include "server/query_tap.h"

namespace steerd::server {

namespace {

constexpr unsigned kTellV4 = 24;
constexpr unsigned kTellV6 = 56;

std::string prefix_text(const base::IpAddress& address) {
    return base::IpPrefix(address, address.is_v4() ? kTellV4 : kTellV6).text();
}

/// "www: tokyo (lowest estimate)", route by route.
std::string reason_of(const policy::Trace& trace) {
    std::string out = trace.fail_open ? "all down" : "";
    for (const auto& step : trace.steps) {
        for (const auto& member : step.members) {
            if (member.chosen) {
                fmt::format_to(std::back_inserter(out), "{}{}: {} ({})", out.empty() ? "" : ", ",
                               step.route, member.name, member.reason);
            }
        }
    }
    return out.empty() ? trace.finding : out;
}

void add_decision(const TapRecord& record, const policy::Snapshot& snapshot, Logfmt& line) {
    policy::Request request;
    request.query = std::span(record.query).first(record.query_size);
    request.client = record.client;
    request.transport = record.transport;
    request.now = record.at;
    request.draw = record.draw;
    policy::Trace trace;
    std::vector<std::uint8_t> out(policy::kMaxTcpAnswer);
    const auto outcome = policy::answer(snapshot, request, out, &trace);
    if (trace.from_ecs) {
        const auto& told = trace.client;
        const auto most = told.address().is_v4() ? kTellV4 : kTellV6;
        line.add("ecs", base::IpPrefix(told.address(), std::min(told.length(), most)).text());
    }
    if (!trace.zone.empty()) {
        line.add("zone", trace.zone);
    }
    if (record.sent_short) {
        line.add("sent", "short");
    } else if (outcome.steered != policy::kNone) {
        line.add("endpoints", fmt::format("{}", fmt::join(trace.endpoints, ",")));
        line.add("ttl", std::to_string(trace.ttl_s));
    }
    if (const auto reason = reason_of(trace); !reason.empty()) {
        line.add("reason", reason);
    }
    if (snapshot.generation != record.generation) {
        line.add("since", "republished");
    }
}

}  // namespace

std::string query_line(const TapRecord& record, const policy::Snapshot& snapshot) {
    Logfmt line("query");
    line.add("client", prefix_text(record.client));
    line.add("transport", record.transport == policy::Transport::Udp ? "udp" : "tcp");
    const auto parsed = dns::parse_query(std::span(record.query).first(record.query_size));
    if (parsed.verdict == dns::QueryVerdict::Query) {
        line.add("name", parsed.query.qname.to_text());
        line.add("type", dns::to_text(parsed.query.qtype));
    }
    line.add("rcode", dns::to_text(record.rcode));
    if (record.query_size > 0) {
        add_decision(record, snapshot, line);
    }
    return line.take();
}

}  // namespace steerd::server
