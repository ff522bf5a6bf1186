// See routes.h. Thread rule: pure.
#include "admin/routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace steerd::admin {

namespace {

constexpr std::array kRoutes{
    Route{"GET", "/", false, get_page},
    Route{"GET", "/page/", false, get_page_file},
    Route{"GET", "/healthz", false, get_health},
    Route{"GET", "/readyz", false, get_ready},
    Route{"GET", "/metrics", false, get_metrics},
    Route{"GET", "/api/v1/status", false, get_status},
    Route{"GET", "/api/v1/answers", false, get_answers},
    Route{"GET", "/api/v1/explain", false, get_explain},
    Route{"GET", "/api/v1/overrides", false, get_overrides},
    Route{"GET", "/api/v1/overrides/", false, get_override},
    Route{"PUT", "/api/v1/overrides/", true, put_override},
    Route{"DELETE", "/api/v1/overrides/", true, delete_override},
    Route{"POST", "/api/v1/reload", true, post_reload},
    Route{"GET", "/api/v1/events", false, get_events},
};

bool fits(const Route& route, const std::string& path) {
    // "/" alone is a page of its own, not the beginning of every path.
    const bool folder = route.path.size() > 1 && route.path.ends_with('/');
    return folder ? path.starts_with(route.path) && path.size() > route.path.size()
                  : path == route.path;
}

}  // namespace

std::span<const Route> routes() { return kRoutes; }

Found find_route(const Request& request) {
    const std::string method = request.method == "HEAD" ? "GET" : request.method;
    std::vector<std::string_view> allowed;
    for (const Route& route : routes()) {
        if (!fits(route, request.path)) {
            continue;
        }
        if (route.method == method) {
            Found found;
            found.route = &route;
            found.rest = request.path.substr(std::min(route.path.size(), request.path.size()));
            return found;
        }
        allowed.push_back(route.method);
    }
    Found none;
    if (allowed.empty()) {
        none.refusal = failure(404, fmt::format("there is nothing at {}", request.path));
    } else {
        none.refusal = failure(405, fmt::format("{} takes {}, not {}", request.path,
                                                fmt::join(allowed, ", "), request.method));
        none.refusal.headers.emplace_back("Allow", fmt::format("{}", fmt::join(allowed, ", ")));
    }
    return none;
}

}  // namespace steerd::admin
