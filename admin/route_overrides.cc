// /api/v1/overrides: what operators ordered. GET lists it, or one; PUT orders an endpoint or
// "region:NAME"; DELETE takes it back ("route:NAME" lets a held failback happen). The reply comes
// when the next query obeys and the order is on disk. Rules are control's; here is only
// translation. Thread rule: see routes.h.
#include <algorithm>
#include <utility>

#include "admin/json.h"
#include "admin/order_request.h"
#include "admin/routes.h"
#include "admin/status_json.h"
#include "base/text.h"

namespace steerd::admin {

namespace {

constexpr std::size_t kMaxNear = 3;

/// Names that may be ordered and look like this one, the nearest first.
std::vector<std::string> near_names(const server::Desk& desk, const std::string& name) {
    std::vector<std::string> names;
    const auto snapshot = desk.snapshots.current();
    if (snapshot == nullptr) {
        return {};
    }
    const auto& model = *snapshot->plan->model;
    for (const auto& endpoint : model.endpoints) {
        names.push_back(endpoint.name);
    }
    for (const auto& region : model.regions) {
        names.push_back("region:" + region.name);
        if (name == region.name) {
            return {names.back()};
        }
    }
    if (name.starts_with("route:")) {
        names.clear();
        for (const auto& route : model.routes) {
            names.push_back("route:" + route.name);
        }
    }
    std::vector<std::string> near;
    while (near.size() < kMaxNear) {
        const auto found = base::nearest(name, names);
        if (!found) {
            break;
        }
        near.push_back(*found);
        std::erase(names, *found);
    }
    return near;
}

int status_of(server::OrderOutcome outcome) {
    switch (outcome) {
        case server::OrderOutcome::Done:
            return 200;
        case server::OrderOutcome::UnknownName:
            return 404;
        case server::OrderOutcome::Refused:
            return 409;
        case server::OrderOutcome::NotWritten:
            return 507;
    }
    return 500;
}

/// On the loop's thread: only moves values.
Response response_of(server::OrderResult result, const server::Desk& desk, std::string name) {
    Response response;
    response.status = status_of(result.outcome);
    response.make = [result = std::move(result), &desk, name = std::move(name)] {
        const bool done = result.outcome == server::OrderOutcome::Done;
        Json json = {{done ? "message" : "error", result.message}, {"name", name}};
        if (result.outcome == server::OrderOutcome::Refused) {
            json["names"] = result.steered;
        }
        if (result.outcome == server::OrderOutcome::UnknownName) {
            json["near"] = near_names(desk, name);
        }
        return text_of(json) + "\n";
    };
    return response;
}

/// How an order is addressed is how it is answered: by the list of all in force.
void with_orders(const Call& call, const Reply& reply,
                 std::function<Response(const control::Status&)> answer) {
    call.context.desk.ask(
        server::AskStatus{[reply, answer = std::move(answer)](const auto& status) {
            reply(answer(status->control));
        }});
}

Json named_json(const health::NamedOrder& named) {
    Json out = {{"name", named.name}};
    out.update(order_json(named.order));
    return out;
}

}  // namespace

void get_overrides(const Call& call, const Reply& reply) {
    with_orders(call, reply, [](const control::Status& status) {
        Response response;
        response.make = [orders = status.orders] {
            Json list = Json::array();
            for (const auto& named : orders) {
                list.push_back(named_json(named));
            }
            return text_of(Json{{"overrides", std::move(list)}}, 1) + "\n";
        };
        return response;
    });
}

void get_override(const Call& call, const Reply& reply) {
    with_orders(call, reply, [name = call.rest](const control::Status& status) {
        const auto found = std::ranges::find(status.orders, name, &health::NamedOrder::name);
        if (found == status.orders.end()) {
            return failure(404, "nothing is ordered for \"" + name + "\"");
        }
        Response response;
        response.make = [order = *found] { return text_of(named_json(order), 1) + "\n"; };
        return response;
    });
}

void put_override(const Call& call, const Reply& reply) {
    auto order = parse_order(call.request.body, call.context.desk.clock.now().wall);
    if (!order) {
        reply(failure(400, order.error()));
        return;
    }
    order->name = call.rest;
    order->who = call.request.peer.who;
    const auto& desk = call.context.desk;
    desk.ask(server::AskOrder{std::move(*order), [reply, &desk, name = call.rest](auto result) {
                                  reply(response_of(std::move(result), desk, name));
                              }});
}

void delete_override(const Call& call, const Reply& reply) {
    control::ReleaseOrder order;
    order.name = call.rest;
    order.who = call.request.peer.who;
    const auto& desk = call.context.desk;
    desk.ask(server::AskOrder{std::move(order), [reply, &desk, name = call.rest](auto result) {
                                  reply(response_of(std::move(result), desk, name));
                              }});
}

}  // namespace steerd::admin
