// The families about endpoints, orders, names and probes. Thread rule: pure.
#include <array>
#include <chrono>

#include "admin/metrics_families.h"

namespace steerd::admin {

namespace {

using control::EndpointStatus;
using health::Health;
using Type = MetricsText::Type;

constexpr std::array kHealths{Health::Unknown, Health::Up, Health::Degraded, Health::Down};
constexpr std::array kOrders{health::OrderState::Drain, health::OrderState::Up,
                             health::OrderState::Down};

template <typename Do>
void for_each_address(const control::Status& status, Do&& then) {
    for (const auto& endpoint : status.endpoints) {
        for (const auto& address : endpoint.addresses) {
            then(endpoint, address);
        }
    }
}

void write_names(const control::Status& status, MetricsText& out) {
    out.family("steerd_name_available", Type::Gauge,
               "1 if something under the steered name is available; 0: when_all_down answers. The "
               "first 1,000 names.");
    std::size_t left = server::AnswerLayout::kMaxNames;
    for (const auto& name : status.steered) {
        if (left-- == 0) {
            break;
        }
        out.sample({{"name", name.name}, {"family", "ipv4"}}, std::uint64_t{name.available_v4});
        out.sample({{"name", name.name}, {"family", "ipv6"}}, std::uint64_t{name.available_v6});
    }
    out.family("steerd_route_held", Type::Gauge,
               "1 while a failover route stays off a better member (failback).");
    for (const auto& hold : status.holds) {
        out.sample({{"route", hold.route}, {"judge", control::to_text(hold.judge)}},
                   std::uint64_t{1});
    }
}

void write_orders(const control::Status& status, MetricsText& out) {
    out.family("steerd_override", Type::Gauge,
               "1 while an order holds for an endpoint, its own or its region's.");
    for (const auto& endpoint : status.endpoints) {
        if (endpoint.order) {
            out.sample(
                {{"endpoint", endpoint.name}, {"state", health::to_text(endpoint.order->state)}},
                std::uint64_t{1});
        }
    }
    out.family("steerd_overrides", Type::Gauge, "Orders in force, for endpoints and regions.");
    for (const auto state : kOrders) {
        std::uint64_t count = 0;
        for (const auto& named : status.orders) {
            count += named.order.state == state ? 1U : 0U;
        }
        out.sample({{"state", health::to_text(state)}}, count);
    }
}

}  // namespace

void write_health(const MetricsInput& input, MetricsText& out) {
    const auto& status = input.status.control;
    out.family("steerd_address_health", Type::Gauge,
               "What is believed of an endpoint's address: 1 for the state it is in, else 0.");
    for_each_address(status, [&](const EndpointStatus& endpoint, const auto& address) {
        for (const auto state : kHealths) {
            out.sample({{"endpoint", endpoint.name},
                        {"region", endpoint.region},
                        {"address", address.address},
                        {"state", health::to_text(state)}},
                       std::uint64_t{address.health == state});
        }
    });
    out.family("steerd_transitions_total", Type::Counter, "Changes of an address's health.");
    for_each_address(status, [&](const EndpointStatus& endpoint, const auto& address) {
        out.sample({{"endpoint", endpoint.name}, {"address", address.address}},
                   address.transitions);
    });
    write_orders(status, out);
    write_names(status, out);
}

void write_probes(const MetricsInput& input, MetricsText& out) {
    const auto& status = input.status.control;
    out.single("steerd_probes_in_flight", Type::Gauge, "Checks under way.",
               std::uint64_t{status.checks_in_flight});
    out.family("steerd_probe_results_total", Type::Counter, "Verdicts of a probe on an address.");
    for (const auto& check : status.checks) {
        const std::string address = check.address.text();
        const auto result = [&](std::string_view word, std::uint64_t count) {
            out.sample({{"probe", check.probe}, {"address", address}, {"result", word}}, count);
        };
        result("pass", check.counts.pass);
        result("slow", check.counts.slow);
        result("fail", check.counts.fail);
        result("inconclusive", check.counts.inconclusive);
    }
    out.family("steerd_probe_inconclusive", Type::Gauge,
               "1 if a probe could not be run for longer than fall times its interval: its health "
               "is no longer known.");
    for (const auto& check : status.checks) {
        out.sample({{"probe", check.probe}, {"address", check.address.text()}},
                   std::uint64_t{check.inconclusive_long});
    }
    out.family("steerd_probe_duration_seconds", Type::Histogram,
               "How long checks took that came to a verdict.");
    for (const auto& probe : status.probes) {
        out.histogram({{"probe", probe.probe}}, control::CheckDurations::kBounds,
                      probe.durations.counts, probe.durations.sum_s);
    }
    out.family("steerd_certificate_expiry_timestamp_seconds", Type::Gauge,
               "When the certificate that an https probe saw last expires.");
    for (const auto& check : status.checks) {
        if (check.certificate_expires) {
            out.sample({{"probe", check.probe}, {"address", check.address.text()}},
                       std::chrono::duration<double>(check.certificate_expires->time_since_epoch())
                           .count());
        }
    }
}

}  // namespace steerd::admin
