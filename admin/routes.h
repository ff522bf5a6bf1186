// The table of what can be asked over HTTP (product.md §7), and what a route works with. Each route
// is one function in a file of its own, route_*.cc, and one line in routes.cc. A route takes its
// facts from the server's desk and has no rule of its own about health or answers.
// Thread rule: routes are called on an HTTP thread, several at a time; they share nothing that is
// written.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "admin/http.h"
#include "config/model.h"
#include "server/desk.h"

namespace steerd::admin {

class AnswerHistory;

struct Context {
    const server::Desk& desk;
    const AnswerHistory& answers;
    std::string version;
    std::string boot;  // of this process, for ids of events
};

/// `rest`: what follows the path of a route that ends in "/".
struct Call {
    const Context& context;
    const Request& request;
    std::string rest;
};

struct Route {
    std::string_view method;
    std::string_view path;
    bool changes = false;  // needs the Unix socket or the token
    void (*run)(const Call&, const Reply&);
};

[[nodiscard]] std::span<const Route> routes();

/// The route for a request, with `rest`; nullptr and the refusal (404, 405) where there is none.
struct Found {
    const Route* route = nullptr;
    std::string rest;
    Response refusal;
};

[[nodiscard]] Found find_route(const Request& request);

void get_health(const Call& call, const Reply& reply);
void get_ready(const Call& call, const Reply& reply);
void get_metrics(const Call& call, const Reply& reply);
void get_status(const Call& call, const Reply& reply);
void get_answers(const Call& call, const Reply& reply);
void get_explain(const Call& call, const Reply& reply);
void get_overrides(const Call& call, const Reply& reply);
void get_override(const Call& call, const Reply& reply);
void put_override(const Call& call, const Reply& reply);
void delete_override(const Call& call, const Reply& reply);
void post_reload(const Call& call, const Reply& reply);
void get_events(const Call& call, const Reply& reply);
void get_page(const Call& call, const Reply& reply);
void get_page_file(const Call& call, const Reply& reply);

}  // namespace steerd::admin
