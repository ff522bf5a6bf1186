// steerd check: loads everything as serve would, prints every problem with its place, and for each
// steered name how long its clients may stay on a dead endpoint (product.md §2, §5, §9).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "base/text.h"
#include "cli/command.h"
#include "cli/json.h"
#include "config/worst_case.h"
#include "server/loader.h"

namespace steerd::cli {

namespace {

/// Seconds with a tenth of a millisecond, so that 11 s prints as 11.0 and not 10.999999.
double seconds(base::Duration duration) {
    return std::round(std::chrono::duration<double>(duration).count() * 1e4) / 1e4;
}

/// Whole seconds as a whole number, as TTLs are written.
Json number(double value) {
    return value == std::floor(value) ? Json(std::llround(value)) : Json(value);
}

Json problems_json(const base::Problems& problems) {
    Json out = Json::array();
    for (const auto& problem : problems.all()) {
        out.push_back({{"severity", std::string(base::to_text(problem.severity))},
                       {"file", problem.at.file},
                       {"line", problem.at.line},
                       {"column", problem.at.column},
                       {"message", problem.message}});
    }
    return out;
}

Json names_json(const std::vector<config::NamedWorstCase>& names) {
    Json out = Json::array();
    for (const auto& name : names) {
        Json entry = {{"name", name.owner.to_text()}};
        if (name.worst) {
            entry["worst_case_s"] = seconds(name.worst->total());
            entry["terms"] = {{"detect_s", seconds(name.worst->detect)},
                              {"publish_s", seconds(name.worst->publish)},
                              {"ttl_s", number(seconds(name.worst->ttl))}};
        } else {
            entry["worst_case_s"] = nullptr;
            entry["terms"] = nullptr;
        }
        out.push_back(std::move(entry));
    }
    return out;
}

void print_names(const std::vector<config::NamedWorstCase>& names) {
    if (names.empty()) {
        return;
    }
    std::size_t width = 0;
    for (const auto& name : names) {
        width = std::max(width, name.owner.to_text().size());
    }
    fmt::print("worst-case failover (detect + publish + what caches may still hold):\n");
    for (const auto& name : names) {
        fmt::print("  {:<{}}  ", name.owner.to_text(), width);
        if (name.worst) {
            fmt::print("{:>8.1f} s = {:.1f} + {:.1f} + {:.1f}\n", seconds(name.worst->total()),
                       seconds(name.worst->detect), seconds(name.worst->publish),
                       seconds(name.worst->ttl));
        } else {
            fmt::print("nothing under it is probed: it never moves by itself\n");
        }
    }
}

}  // namespace

int run_check(const Args& args) {
    args.expect_positional(0);
    server::LoadOptions options;
    options.strict = true;
    const auto loaded = server::load_plan(config_path(args), options);
    const bool ok = !loaded.problems.has_errors() && loaded.plan != nullptr;
    std::vector<config::NamedWorstCase> names;
    if (loaded.model != nullptr) {
        names = config::worst_cases(*loaded.model);
    }
    if (args.has("--json")) {
        const Json out = {
            {"ok", ok}, {"problems", problems_json(loaded.problems)}, {"names", names_json(names)}};
        fmt::print("{}\n", out.dump(2, ' ', false, Json::error_handler_t::replace));
        return ok ? kOk : kFailed;
    }
    for (const auto& problem : loaded.problems.all()) {
        fmt::print("{}\n", problem.text());
    }
    print_names(names);
    const auto errors = loaded.problems.error_count();
    const auto warnings = loaded.problems.all().size() - errors;
    fmt::print("{}: {} error{}, {} warning{}\n", ok ? "ok" : "not ok", errors,
               errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s");
    return ok ? kOk : kFailed;
}

}  // namespace steerd::cli
