// The families about queries and answers. Series of RCODEs appear with the first answer of their
// kind; all others are there from the start, so that the first count is seen as a rise.
// Thread rule: pure.
#include <fmt/format.h>

#include <array>

#include "admin/metrics_families.h"
#include "admin/worker_sums.h"

namespace steerd::admin {

namespace {

using policy::Transport;
using server::AnswerLayout;
using server::AnswerTotals;
using Type = MetricsText::Type;

constexpr std::array kTransports{Transport::Udp, Transport::Tcp};
constexpr std::array<std::string_view, 2> kTransportWords{"udp", "tcp"};
constexpr std::array<std::string_view, AnswerLayout::kRcodes> kRcodeWords{
    "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "other"};
constexpr std::string_view kNoZone = "none";
constexpr std::string_view kOther = "other";

std::string_view zone_label(const AnswerLayout& layout, std::size_t row) {
    if (row == 0) {
        return kNoZone;
    }
    return row <= layout.zones().size() ? std::string_view(layout.zones()[row - 1]) : kOther;
}

void write_zones(const AnswerTotals& totals, MetricsText& out) {
    const auto& layout = totals.layout();
    out.family("steerd_queries_total", Type::Counter,
               "Queries answered, by zone (none: in no zone of ours; other: beyond 1,000).");
    for (std::size_t row = 0; row < layout.zone_rows(); ++row) {
        for (const auto transport : kTransports) {
            std::uint64_t sum = 0;
            for (std::size_t rcode = 0; rcode < AnswerLayout::kRcodes; ++rcode) {
                sum += totals.zone(row, transport, rcode);
            }
            out.sample({{"zone", zone_label(layout, row)},
                        {"transport", kTransportWords[static_cast<std::size_t>(transport)]}},
                       sum);
        }
    }
    out.family("steerd_responses_total", Type::Counter, "Responses, by zone and RCODE.");
    for (std::size_t row = 0; row < layout.zone_rows(); ++row) {
        for (const auto transport : kTransports) {
            for (std::size_t rcode = 0; rcode < AnswerLayout::kRcodes; ++rcode) {
                const std::uint64_t count = totals.zone(row, transport, rcode);
                if (count > 0) {
                    out.sample({{"zone", zone_label(layout, row)},
                                {"transport", kTransportWords[static_cast<std::size_t>(transport)]},
                                {"rcode", kRcodeWords[rcode]}},
                               count);
                }
            }
        }
    }
}

void write_names(const AnswerTotals& totals, MetricsText& out) {
    const auto& layout = totals.layout();
    const auto& names = layout.names();
    out.family("steerd_decisions_total", Type::Counter,
               "How often an endpoint was handed out for a steered name.");
    for (std::size_t name = 0; name < names.size(); ++name) {
        const bool other = name + 1 == names.size();
        for (std::size_t i = 0; i < names[name].endpoints.size(); ++i) {
            const std::uint64_t count = totals.endpoint(name, i);
            if (count > 0 || !other) {
                out.sample({{"name", names[name].name},
                            {"endpoint", layout.endpoints()[names[name].endpoints[i]]}},
                           count);
            }
        }
    }
    out.family("steerd_decisions_nobody_total", Type::Counter,
               "How often a steered name was answered without an endpoint: NODATA or SERVFAIL.");
    for (std::size_t name = 0; name < names.size(); ++name) {
        out.sample({{"name", names[name].name}}, totals.head(name, AnswerLayout::Nobody));
    }
    out.family("steerd_fail_open_total", Type::Counter,
               "Answers given although everything under the name was down (when_all_down).");
    for (std::size_t name = 0; name < names.size(); ++name) {
        out.sample({{"name", names[name].name}}, totals.head(name, AnswerLayout::FailOpen));
    }
}

void write_limited(const WorkerSums& sums, MetricsText& out) {
    out.family(
        "steerd_rate_limited_total", Type::Counter,
        "Answers over UDP beyond [server.rate_limit]: not sent (drop) or sent short (slip).");
    for (std::size_t i = 0; i < server::kRateKinds; ++i) {
        out.sample({{"kind", kRateKindWords[i]}, {"action", "drop"}}, sums.limited_dropped[i]);
        out.sample({{"kind", kRateKindWords[i]}, {"action", "slip"}}, sums.limited_slipped[i]);
    }
    out.single("steerd_unproven_total", Type::Counter,
               "Answers over UDP sent short since they were too large for who had no good cookie.",
               sums.unproven);
}

}  // namespace

void write_answers(const MetricsInput& input, MetricsText& out) {
    write_zones(input.answers, out);
    write_names(input.answers, out);
    const WorkerSums sums = sum_of(input.workers);
    out.family("steerd_received_total", Type::Counter, "Messages received, answered or not.");
    for (const auto transport : kTransports) {
        out.sample({{"transport", kTransportWords[static_cast<std::size_t>(transport)]}},
                   received(input.answers, sums, transport));
    }
    out.family("steerd_drops_total", Type::Counter,
               "Messages without an answer: no query, from port 0, or an answer that could not be "
               "sent.");
    out.sample({{"reason", "not_a_query"}}, not_queries(sums));
    out.sample({{"reason", "no_port"}}, sums.no_port);
    out.sample({{"reason", "send_failed"}}, sums.send_failures);
    out.family("steerd_cookies_total", Type::Counter,
               "Queries answered that had a DNS cookie: the client's half alone, bad, valid.");
    for (std::size_t i = 1; i < sums.cookies.size(); ++i) {
        out.sample({{"state", kCookieWords[i]}}, sums.cookies[i]);
    }
    write_limited(sums, out);
    out.single("steerd_truncated_total", Type::Counter, "Answers over UDP that had no room.",
               sums.truncated);
    out.family("steerd_rare_rcodes_total", Type::Counter,
               "Responses whose RCODE counts as other in steerd_responses_total, by number.");
    for (std::size_t rcode = 0; rcode < sums.rare_rcodes.size(); ++rcode) {
        if (sums.rare_rcodes[rcode] > 0) {
            out.sample({{"rcode", fmt::format("{}", rcode)}}, sums.rare_rcodes[rcode]);
        }
    }
    out.single("steerd_tcp_connections_total", Type::Counter, "TCP connections accepted.",
               sums.tcp_accepted);
    out.family("steerd_tcp_closed_total", Type::Counter,
               "TCP connections that we ended: over a limit, or idle too long.");
    out.sample({{"reason", "limit"}}, sums.tcp_refused);
    out.sample({{"reason", "idle"}}, sums.tcp_timeouts);
    out.single("steerd_tcp_no_descriptor_total", Type::Counter,
               "Times that a TCP connection waited because no descriptor was left.",
               sums.tcp_no_descriptor);
}

}  // namespace steerd::admin
