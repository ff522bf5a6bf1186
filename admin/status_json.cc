// See status_json.h. Thread rule: pure.
#include "admin/status_json.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_map>
#include <vector>

#include "admin/drain_model.h"
#include "base/text.h"
#include "config/words.h"
#include "config/worst_case.h"

namespace steerd::admin {

namespace {

/// After an order at most so long until no answer names the endpoint: publications are 50 ms apart.
constexpr base::Duration kUntilPublished = std::chrono::milliseconds(50);

Json time_json(const std::optional<base::Wall>& wall) {
    return wall ? Json(base::format_wall(*wall)) : Json(nullptr);
}

/// With milliseconds exact enough for people, without a tail of nines.
double rounded(double value, double steps) { return std::round(value * steps) / steps; }

double ms(base::Duration duration) {
    return rounded(std::chrono::duration<double, std::milli>(duration).count(), 1000);
}

Json check_json(const control::CheckStatus& check) {
    return {{"probe", check.probe},
            {"address", check.address.text()},
            {"health", health::to_text(check.health)},
            {"last", check.last ? Json(health::to_text(*check.last)) : Json(nullptr)},
            {"reason", check.reason},
            {"latency_ms", check.last ? Json(ms(check.latency)) : Json(nullptr)},
            {"last_at", time_json(check.last_at)},
            {"certificate_expires", time_json(check.certificate_expires)},
            {"counts",
             {{"pass", check.counts.pass},
              {"slow", check.counts.slow},
              {"fail", check.counts.fail},
              {"inconclusive", check.counts.inconclusive}}},
            {"inconclusive_long", check.inconclusive_long}};
}

Json address_json(const control::AddressStatus& address, const control::Status& status) {
    Json out = {{"address", address.address},
                {"health", health::to_text(address.health)},
                {"since", base::format_wall(address.since)},
                {"cause", address.cause}};
    const bool moving = address.next != address.health;
    out["next"] = moving ? Json(health::to_text(address.next)) : Json(nullptr);
    out["next_at"] = moving ? time_json(address.earliest) : Json(nullptr);
    out["transitions"] = address.transitions;
    if (address.cname) {
        Json resolved = Json::array();
        for (const auto& one : address.resolved) {
            resolved.push_back(one.text());
        }
        out["cname"] = true;
        out["resolved"] = std::move(resolved);
        out["resolution"] = address.resolution;
    }
    Json checks = Json::array();
    for (const auto check : address.checks) {
        checks.push_back(check_json(status.checks[check]));
    }
    out["checks"] = std::move(checks);
    return out;
}

/// Answers with one TTL that named an endpoint, until the last of them.
struct Epoch {
    base::Wall last{};
    std::uint32_t ttl_s = 0;
};

/// Of the TTL in force and of longer ones before a reload, whose answers may be in caches still.
std::vector<Epoch> epochs_of(const control::EndpointStatus& endpoint,
                             const server::ServerStatus& status,
                             const std::vector<std::uint32_t>& ttls) {
    const auto& endpoints = status.plan->endpoints;
    const auto found = std::ranges::find(endpoints, endpoint.name, &policy::Endpoint::name);
    const base::Wall last = endpoint.order->since + kUntilPublished;
    std::vector<Epoch> out = {
        {last,
         found == endpoints.end() ? 0 : ttls[static_cast<std::size_t>(found - endpoints.begin())]}};
    if (const auto earlier = status.earlier_ttls.find(endpoint.name);
        earlier != status.earlier_ttls.end()) {
        for (const auto& one : earlier->second) {
            out.push_back({std::min(last, one.until + kUntilPublished), one.ttl_s});
        }
    }
    return out;
}

/// When it is safe to stop: last answer, TTL, and who keeps answers longer.
Json drain_json(const std::vector<Epoch>& epochs, base::Wall now, DrainModel& model) {
    const base::Wall last = epochs.front().last;
    base::Wall let_go = last;
    base::Wall safe = last;
    std::uint32_t ttl = 0;
    double left = 0;
    for (const Epoch& epoch : epochs) {
        if (epoch.ttl_s == 0) {
            continue;
        }
        const base::Wall gone = epoch.last + DrainModel::caches_after(epoch.ttl_s);
        if (gone > let_go) {
            let_go = gone;
            ttl = epoch.ttl_s;
        }
        safe = std::max(safe, epoch.last + model.safe_after(epoch.ttl_s));
        left = std::max(left, model.left(epoch.ttl_s, now - epoch.last));
    }
    const auto up = [](base::Wall wall) {  // texts have whole seconds: never too early
        return base::format_wall(std::chrono::ceil<std::chrono::seconds>(wall));
    };
    return {{"last_answer", up(last)},     {"ttl_s", ttl},
            {"caches_let_go", up(let_go)}, {"safe_to_stop", up(safe)},
            {"safe", now >= safe},         {"clients_left", rounded(left, 1e4)}};
}

Json endpoint_json(const control::EndpointStatus& endpoint, const server::ServerStatus& status,
                   const std::vector<std::uint32_t>& ttls, DrainModel& model) {
    Json out = {{"name", endpoint.name},
                {"region", endpoint.region.empty() ? Json(nullptr) : Json(endpoint.region)},
                {"probed", endpoint.probed},
                {"override", nullptr}};
    if (endpoint.order) {
        out["override"] = order_json(*endpoint.order);
        out["override"]["of"] = endpoint.order_of;
    }
    const bool drained = endpoint.order && endpoint.order->state == health::OrderState::Drain;
    out["drain"] = drained ? drain_json(epochs_of(endpoint, status, ttls), status.control.at, model)
                           : Json(nullptr);
    Json addresses = Json::array();
    for (const auto& address : endpoint.addresses) {
        addresses.push_back(address_json(address, status.control));
    }
    out["addresses"] = std::move(addresses);
    return out;
}

const health::Order* order_of(const control::Status& status, const std::string& name) {
    const auto found = std::ranges::find(status.orders, name, &health::NamedOrder::name);
    return found == status.orders.end() ? nullptr : &found->order;
}

Json regions_json(const server::ServerStatus& status) {
    Json out = Json::array();
    for (const auto& region : status.plan->model->regions) {
        const auto* order =
            order_of(status.control, std::string(health::kRegionPrefix) + region.name);
        out.push_back(
            {{"name", region.name},
             {"location", Json::array({region.location.latitude, region.location.longitude})},
             {"country", region.country ? Json(*region.country) : Json(nullptr)},
             {"override", order != nullptr ? order_json(*order) : Json(nullptr)}});
    }
    return out;
}

Json orders_json(const std::vector<health::NamedOrder>& orders) {
    Json out = Json::array();
    for (const auto& named : orders) {
        Json one = {{"name", named.name}};
        one.update(order_json(named.order));
        out.push_back(std::move(one));
    }
    return out;
}

Json hold_json(const control::HoldStatus& hold) {
    return {{"route", hold.route},       {"judge", control::to_text(hold.judge)},
            {"member", hold.member},     {"better", hold.better},
            {"failback", hold.failback}, {"until", time_json(hold.until)}};
}

Json routes_json(const server::ServerStatus& status) {
    Json out = Json::array();
    for (const auto& route : status.plan->model->routes) {
        Json members = Json::array();
        for (const auto& member : route.members) {
            members.push_back(member.name);
        }
        Json holds = Json::array();
        for (const auto& hold : status.control.holds) {
            if (hold.route == route.name) {
                holds.push_back(hold_json(hold));
            }
        }
        out.push_back({{"name", route.name},
                       {"policy", config::to_text(route.policy)},
                       {"members", std::move(members)},
                       {"holds", std::move(holds)}});
    }
    return out;
}

Json names_json(const server::ServerStatus& status) {
    const auto& plan = *status.plan;
    std::unordered_map<std::string, Json> known;  // of the plan in force, by name
    for (const auto& steered : plan.steered) {
        known.emplace(steered.owner.to_text(), Json{{"ttl_s", steered.ttl_s}});
    }
    for (const auto& name : config::worst_cases(*plan.model)) {
        const auto found = known.find(name.owner.to_text());
        if (found != known.end() && name.worst) {
            found->second["worst_case_s"] =
                rounded(std::chrono::duration<double>(name.worst->total()).count(), 1e4);
        }
    }
    Json out = Json::array();
    for (const auto& name : status.control.steered) {
        Json one = {{"name", name.name},
                    {"route", name.route},
                    {"available", {{"ipv4", name.available_v4}, {"ipv6", name.available_v6}}},
                    {"ttl_s", nullptr},
                    {"worst_case_s", nullptr}};
        if (const auto found = known.find(name.name); found != known.end()) {
            one.update(found->second);
        }
        out.push_back(std::move(one));
    }
    return out;
}

Json server_json(const server::ServerStatus& status, const std::string& version) {
    return {{"version", version},
            {"pid", ::getpid()},
            {"identity", status.plan->identity},
            {"now", base::format_wall(status.control.at)},
            {"started", base::format_wall(status.started)},
            {"ready", status.ready},
            {"listening", status.listening},
            {"config", status.plan->model->file.string()},
            {"generation", status.control.generation},
            {"published", base::format_wall(status.control.published)},
            {"checks_in_flight", status.control.checks_in_flight},
            {"keeps_state", status.keeps_state},
            {"state_problem",
             status.state_problem.empty() ? Json(nullptr) : Json(status.state_problem)}};
}

}  // namespace

Json order_json(const health::Order& order) {
    return {{"state", health::to_text(order.state)},
            {"reason", order.reason},
            {"who", order.who},
            {"since", base::format_wall(order.since)},
            {"until", time_json(order.until)}};
}

Json load_json(const server::LoadReport& load) {
    Json problems = Json::array();
    for (const auto& problem : load.problems) {
        problems.push_back({{"severity", base::to_text(problem.severity)},
                            {"file", problem.at.file},
                            {"line", problem.at.line},
                            {"column", problem.at.column},
                            {"message", problem.message}});
    }
    return {{"ok", load.ok},
            {"message", load.message},
            {"at", base::format_wall(load.at)},
            {"partly_refused", load.partly_refused},
            {"problems", std::move(problems)},
            {"wait_for_restart", load.wait_for_restart}};
}

Json status_json(const server::ServerStatus& status, const std::string& version) {
    DrainModel model;
    const auto ttls = server::longest_ttls(*status.plan);
    Json endpoints = Json::array();
    for (const auto& endpoint : status.control.endpoints) {
        endpoints.push_back(endpoint_json(endpoint, status, ttls, model));
    }
    Json holds = Json::array();
    for (const auto& hold : status.control.holds) {
        holds.push_back(hold_json(hold));
    }
    return {{"server", server_json(status, version)},
            {"endpoints", std::move(endpoints)},
            {"regions", regions_json(status)},
            {"routes", routes_json(status)},
            {"holds", std::move(holds)},
            {"names", names_json(status)},
            {"overrides", orders_json(status.control.orders)},
            {"absent_overrides", orders_json(status.control.absent_orders)},
            {"load", load_json(status.load)}};
}

}  // namespace steerd::admin
